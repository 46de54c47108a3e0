// What the timeline draws, one kind of thing a method; every place in CSS pixels.
import { gateColour } from "./live_curve_marks.js";
import { clockTime } from "./live_elements.js";
import { words } from "./words.js";

const STEPS_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
const TICK_PX = 86;
const FONT = "11px system-ui, sans-serif";
const DOTS_FROM_PX = 7; // frames that are so far apart get a dot each

export class Ink {
  static gateColour = gateColour;

  constructor(timeline, canvas) {
    this.line = timeline;
    this.session = timeline.session;
    this.laid = timeline.laid;
    this.wide = timeline.wide;
    this.context = canvas.getContext("2d");
    const unit = window.devicePixelRatio || 1;
    this.context.setTransform(unit, 0, 0, unit, 0, 0);
    this.context.clearRect(0, 0, this.wide, timeline.high);
    const style = getComputedStyle(timeline.element);
    this.colour = (name) => style.getPropertyValue(`--${name}`).trim() || "#888";
  }

  x(time) {
    return this.line.x(time);
  }

  shown(movements) {
    return movements.filter((one) => one.offset_s >= this.line.from && one.onset_s <= this.line.to);
  }

  ruler() {
    const { context } = this;
    const { from, to } = this.line;
    const step = STEPS_S.find((one) => (one / (to - from)) * this.wide >= TICK_PX) ?? 7200;
    const decimals = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
    context.font = FONT;
    context.textBaseline = "middle";
    context.textAlign = "left";
    for (let number = Math.ceil(from / step - 1e-9); number * step <= to; number += 1) {
      const x = Math.round(this.x(number * step)) + 0.5;
      context.strokeStyle = this.colour("grid");
      this.stroke(x, 14, x, this.laid.overview - 4);
      context.fillStyle = this.colour("soft");
      const text = clockTime(number * step, decimals);
      if (x + 4 + context.measureText(text).width < this.wide) context.fillText(text, x + 4, 9);
    }
  }

  looped() {
    const span = this.line.looped;
    if (!span) return;
    this.context.fillStyle = this.colour("loop");
    this.context.fillRect(this.x(span.from), this.laid.marks, this.x(span.to) - this.x(span.from), this.laid.gates - this.laid.marks);
  }

  unseen() {
    const { context } = this;
    context.save();
    context.strokeStyle = this.colour("grid");
    for (const [from, to] of this.session.unseen) {
      const [left, right] = [this.x(from), Math.max(this.x(to), this.x(from) + 2)];
      if (right < 0 || left > this.wide) continue;
      const [top, high] = [this.laid.curve, this.laid.curveHigh];
      context.save();
      context.beginPath();
      context.rect(Math.max(0, left), top, Math.min(this.wide, right) - Math.max(0, left), high);
      context.clip();
      for (let x = Math.max(0, left) - high; x < Math.min(this.wide, right); x += 7) this.stroke(x, top + high, x + high, top);
      context.restore();
    }
    context.restore();
  }

  rejected() {
    const { context } = this;
    const top = this.laid.marks + 20;
    for (const one of this.shown(this.session.rejected)) {
      const left = this.x(one.onset_s);
      const wide = Math.max(this.x(one.offset_s) - left, 3);
      const selected = one === this.line.selected;
      context.fillStyle = this.colour(selected ? "ghost-on" : "ghost");
      this.rounded(left, top, wide, 7, 2);
      context.fill();
      if (selected) this.span(one, this.colour("soft"), this.colour("ghost"));
    }
  }

  events() {
    const { context } = this;
    let free = -Infinity;
    const ordered = this.shown(this.session.inOrder);
    for (const event of ordered) {
      const selected = event === this.line.selected;
      const ink = this.colour(event.kind === "macro" ? "macro" : "micro");
      this.span(event, ink, this.colour(event.kind === "macro" ? "macro-fill" : "micro-fill"), selected);
      const left = this.x(event.onset_s);
      const text = String(event.event_id);
      context.font = `600 ${FONT}`;
      const wide = Math.max(this.x(event.offset_s) - left, context.measureText(text).width + 8);
      if (left < free && !selected) {
        context.fillStyle = ink;
        this.rounded(left, this.laid.marks + 2, Math.max(3, this.x(event.offset_s) - left), 15, 2);
        context.fill();
        continue;
      }
      free = left + wide + 1;
      context.fillStyle = ink;
      this.rounded(left, this.laid.marks + 2, wide, 15, 3);
      context.fill();
      context.fillStyle = this.colour("on-mark");
      context.textAlign = "left";
      context.textBaseline = "middle";
      context.fillText(text, Math.max(left, 0) + 4, this.laid.marks + 10);
    }
  }

  /** Onset to offset over the curve, the apex marked. */
  span(movement, ink, fill, strong = true) {
    const { context } = this;
    const [onset, apex, offset] = [movement.onset_s, movement.apex_s, movement.offset_s].map((time) => this.x(time));
    const [top, bottom] = [this.laid.curve, this.laid.curve + this.laid.curveHigh];
    context.fillStyle = fill;
    context.fillRect(onset, top, Math.max(offset - onset, 1.5), bottom - top);
    if (!strong || offset - onset < 8) return;
    context.strokeStyle = ink;
    context.lineWidth = 1;
    for (const x of [onset, offset]) this.stroke(x, top, x, bottom);
    context.setLineDash([3, 3]);
    this.stroke(apex, top, apex, bottom);
    context.setLineDash([]);
  }

  curve() {
    const { context } = this;
    const { curve: top, curveHigh: high } = this.laid;
    const bottom = top + high;
    const y = (value) => bottom - Math.min(1, Math.max(0, value / this.line.top)) * high;
    context.strokeStyle = this.colour("grid");
    this.stroke(0, bottom + 0.5, this.wide, bottom + 0.5);
    this.area(this.session.strength, y, bottom, this.colour("curve-fill"));
    context.strokeStyle = this.colour("curve");
    context.lineWidth = 1.4;
    this.path(this.session.strength, y);
    context.strokeStyle = this.colour("limit");
    context.lineWidth = 1;
    context.setLineDash([5, 4]);
    this.path(this.session.threshold, y);
    context.setLineDash([]);
    this.dots(this.session.strength, y);
  }

  /** First and last frame in view, one more on each side. */
  range() {
    const { session, line } = this;
    if (!session.count) return [0, -1];
    return [Math.max(0, session.placeBefore(line.from) - 1), Math.min(session.count - 1, session.placeBefore(line.to) + 1)];
  }

  /** The lowest and highest value of every pixel column, in order of time; breaks where nothing was seen. */
  *columns(values) {
    const { session } = this;
    const [first, last] = this.range();
    let column = null;
    for (let place = first; place <= last; place += 1) {
      const value = values[place];
      const x = this.x(session.times[place]);
      const pixel = Math.floor(x);
      if (column && (pixel !== column.pixel || !Number.isFinite(value))) {
        yield column;
        column = null;
      }
      if (!Number.isFinite(value)) {
        yield null;
        continue;
      }
      if (place > first && session.times[place] - session.times[place - 1] > 0.25) yield null;
      if (!column) column = { pixel, x, first: value, low: value, high: value, last: value };
      else {
        column.low = Math.min(column.low, value);
        column.high = Math.max(column.high, value);
        column.last = value;
      }
    }
    if (column) yield column;
  }

  path(values, y) {
    const { context } = this;
    context.beginPath();
    let broken = true;
    for (const column of this.columns(values)) {
      if (!column) {
        broken = true;
        continue;
      }
      if (broken) context.moveTo(column.x, y(column.first));
      else context.lineTo(column.x, y(column.first));
      if (column.high > column.low) {
        context.lineTo(column.x, y(column.high));
        context.lineTo(column.x, y(column.low));
        context.lineTo(column.x, y(column.last));
      }
      broken = false;
    }
    context.stroke();
  }

  area(values, y, bottom, fill) {
    const { context } = this;
    context.fillStyle = fill;
    let stretch = [];
    const close = () => {
      if (stretch.length) {
        context.beginPath();
        context.moveTo(stretch[0].x, bottom);
        for (const column of stretch) context.lineTo(column.x, y(column.high));
        context.lineTo(stretch.at(-1).x, bottom);
        context.fill();
      }
      stretch = [];
    };
    for (const column of this.columns(values)) {
      if (column) stretch.push(column);
      else close();
    }
    close();
  }

  dots(values, y) {
    const { session } = this;
    const [first, last] = this.range();
    if (last - first < 1 || this.wide / (last - first) < DOTS_FROM_PX) return;
    this.context.fillStyle = this.colour("curve");
    for (let place = first; place <= last; place += 1) {
      if (!Number.isFinite(values[place])) continue;
      this.context.beginPath();
      this.context.arc(this.x(session.times[place]), y(values[place]), 2.2, 0, 7);
      this.context.fill();
    }
  }

  gates() {
    const { context } = this;
    const top = this.laid.gates;
    context.fillStyle = this.colour("strip");
    context.fillRect(0, top, this.wide, 6);
    for (const [name, spans] of Object.entries(this.session.gates)) {
      context.fillStyle = gateColour(name);
      for (const [from, to] of spans) {
        if (to < this.line.from || from > this.line.to) continue;
        context.fillRect(this.x(from), top, Math.max(this.x(to) - this.x(from), 1.5), 6);
      }
    }
  }

  lanes() {
    const { context } = this;
    for (let number = 0; number < this.laid.laneCount; number += 1) {
      const { name, values } = this.session.lanes[number];
      const bottom = this.laid.lanes + (number + 1) * 30 - 3;
      const y = (value) => bottom - Math.min(1, Math.max(0, value / this.line.top)) * 24;
      this.area(values, y, bottom, this.colour("curve-fill"));
      context.strokeStyle = this.colour("curve");
      context.lineWidth = 1;
      this.path(values, y);
      context.fillStyle = this.colour("soft");
      context.font = FONT;
      context.textAlign = "left";
      context.textBaseline = "top";
      context.fillText(words(`replay.lane.${name}`), 4, bottom - 25);
    }
  }

  /** Notes about moments: small flags at the upper edge. */
  notes() {
    const { context } = this;
    context.fillStyle = this.colour("note");
    for (const note of this.session.timeNotes) {
      const x = this.x(note.time_s);
      if (x < -6 || x > this.wide + 6) continue;
      context.beginPath();
      context.moveTo(x - 4, this.laid.curve);
      context.lineTo(x + 4, this.laid.curve);
      context.lineTo(x, this.laid.curve + 7);
      context.fill();
    }
  }

  /** The whole recording in a strip; the part in view is framed. */
  overview() {
    const { context, session } = this;
    const [top, high] = [this.laid.overview + 2, 14];
    const whole = (time) => ((time - session.start) / (session.end - session.start)) * this.wide;
    context.fillStyle = this.colour("strip");
    this.rounded(0, top, this.wide, high, 3);
    context.fill();
    if (this.line.withRejected) {
      context.fillStyle = this.colour("ghost");
      for (const one of session.rejected) context.fillRect(whole(one.onset_s), top + 9, Math.max(1, whole(one.offset_s) - whole(one.onset_s)), 3);
    }
    for (const event of session.inOrder) {
      context.fillStyle = this.colour(event.kind === "macro" ? "macro" : "micro");
      context.fillRect(whole(event.onset_s), top + 3, Math.max(2, whole(event.offset_s) - whole(event.onset_s)), high - 6);
    }
    const [left, right] = [whole(this.line.from), whole(this.line.to)];
    if (right - left < this.wide - 1) {
      context.strokeStyle = this.colour("ink");
      context.lineWidth = 1.5;
      this.rounded(left + 0.75, top + 0.75, Math.max(4, right - left - 1.5), high - 1.5, 3);
      context.stroke();
    }
  }

  needle() {
    const { context, line, session } = this;
    context.fillStyle = context.strokeStyle = this.colour("ink");
    context.lineWidth = 1.5;
    const x = Math.max(0.75, Math.min(this.wide - 0.75, this.x(line.time)));
    if (line.time >= line.from - 1e-9 && line.time <= line.to + 1e-9) {
      this.stroke(x, 15, x, this.laid.overview - 4);
      context.beginPath();
      context.moveTo(x - 6, 12);
      context.lineTo(x + 6, 12);
      context.lineTo(x, 20);
      context.fill();
    }
    const small = ((line.time - session.start) / (session.end - session.start)) * this.wide;
    context.fillRect(Math.min(this.wide - 2, small), this.laid.overview + 1, 2, 16);
  }

  stroke(x0, y0, x1, y1) {
    this.context.beginPath();
    this.context.moveTo(x0, y0);
    this.context.lineTo(x1, y1);
    this.context.stroke();
  }

  rounded(left, top, wide, high, radius) {
    this.context.beginPath();
    this.context.roundRect(left, top, wide, high, radius);
  }
}
