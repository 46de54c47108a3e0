// Movement over the last seconds: strength over its threshold, regions on demand, what was spotted, what raised doubt.
import { clockTime, make } from "./live_elements.js";
import { drawEvents, drawGates, drawRejected, drawTimes, gateColour } from "./live_curve_marks.js";
import { Samples } from "./live_samples.js";
import { gateWord, kindWord, labelWord, regionWord } from "./terms.js";
import { words } from "./words.js";

const DRAW_EVERY_MS = 50;
const DRAW_REGIONS_EVERY_MS = 100; // nineteen lines more cost more
const LATE_S = 0.35; // how far the right edge may hurry ahead of the newest sample
const MOST_FACES = 4;
const HIGHEST = 8; // thresholds that the picture reaches up to

export class Curves {
  constructor() {
    this.samples = new Samples();
    this.others = new Map(); // face number -> its strength as seen on the preview's frames
    this.events = [];
    this.rejected = [];
    this.regionNames = [];
    this.window_s = 20;
    this.withRegions = false;
    this.withRejected = false;
    this.paused = null;
    this.edge = null;
    this.top = 1;
    this.canvas = make("canvas", { class: "curves", role: "img", "aria-label": words("live.curves-described") });
    this.context = this.canvas.getContext("2d");
    this.tip = make("div", { class: "tip", hidden: true, "aria-hidden": "true" });
    this.canvas.addEventListener("pointermove", (event) => this.point(event.offsetX, event.offsetY));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.canvas);
    this.drawn = 0;
    this.last = 0;
    this.colours = {};
  }

  push(batch, faces = []) {
    const before = this.samples.count;
    this.samples.push(batch);
    // The samples are those of one face; the others are known from the preview's frames alone.
    const last = batch?.strength?.at(-1);
    const main = Math.max(0, faces.findIndex((face) => face.strength === last));
    faces.slice(0, MOST_FACES).forEach((face, place) => place !== main && this.pushOther(face));
    return this.samples.count - before;
  }

  pushOther(face) {
    if (!this.others.has(face.face_id)) {
      if (this.others.size >= MOST_FACES) this.others.delete(this.others.keys().next().value);
      this.others.set(face.face_id, []);
    }
    const line = this.others.get(face.face_id);
    line.push([this.samples.newest ?? 0, face.strength ?? NaN]);
    if (line.length > 2000) line.splice(0, 500);
  }

  pause(on) {
    if (on && !this.paused) this.paused = { samples: this.samples.frozen(), edge: this.edge ?? this.samples.newest ?? 0 };
    if (!on) this.paused = null;
    this.last = 0;
  }

  clear() {
    this.samples.clear();
    this.others.clear();
    this.events = [];
    this.rejected = [];
    this.edge = this.paused = null;
    this.last = 0;
  }

  fit() {
    const unit = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(this.canvas.clientWidth * unit);
    const height = Math.round(this.canvas.clientHeight * unit);
    this.unit = unit;
    if (!width || !height || (width === this.canvas.width && height === this.canvas.height)) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.last = 0;
    this.draw(performance.now(), 0);
  }

  /** Called on every frame of the screen; draws when it is time. */
  draw(now, passed_s) {
    this.move(passed_s);
    const every = this.withRegions ? DRAW_REGIONS_EVERY_MS : DRAW_EVERY_MS;
    if (now - this.last < every - 4 || !this.canvas.clientWidth) return;
    this.last = now;
    this.drawn += 1;
    this.paint();
  }

  /** The right edge runs with the clock and is drawn gently towards the newest sample: no jerks. */
  move(passed_s) {
    const newest = this.samples.newest;
    if (newest === null) return;
    if (this.edge === null || Math.abs(newest - this.edge) > 2) this.edge = newest;
    this.edge += passed_s + (newest - (this.edge + passed_s)) * Math.min(1, 3 * passed_s);
    this.edge = Math.min(this.edge, newest + LATE_S);
  }

  frame() {
    const unit = this.unit ?? 1;
    const plot = { left: 38 * unit, right: this.canvas.width - 8 * unit, top: 22 * unit, bottom: this.canvas.height - 34 * unit };
    const edge = this.paused ? this.paused.edge : this.edge ?? 0;
    const from = edge - this.window_s;
    const perSecond = (plot.right - plot.left) / this.window_s;
    return { ...plot, unit, from, to: edge, perSecond, x: (time) => plot.left + (time - from) * perSecond };
  }

  paint() {
    const { context } = this;
    const samples = this.paused?.samples ?? this.samples;
    const view = this.frame();
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!samples.count) return;
    this.scale(samples, view);
    view.y = (value) => view.bottom - (Math.min(value, this.top * 1.03) / this.top) * (view.bottom - view.top);
    view.colours = this.colours;
    this.axis(view);
    drawTimes(context, view, this.window_s);
    context.save();
    context.beginPath();
    context.rect(view.left, 0, view.right - view.left, this.canvas.height);
    context.clip();
    if (this.withRejected) drawRejected(context, view, this.rejected);
    drawEvents(context, view, this.events);
    drawGates(context, view, samples);
    if (this.withRegions) this.regionLines(samples, view);
    this.otherLines(view);
    this.mainLines(samples, view);
    context.restore();
    if (this.hover) this.showHover(samples, view);
  }

  scale(samples, view) {
    const { strength, threshold } = samples.largest(view.from, view.to);
    // What reaches out is cut off: a blink of ten pixels would press all else flat.
    const wanted = Math.max(1, 1.6 * threshold, Math.min(1.12 * strength, HIGHEST * threshold));
    // Up at once, down slowly: a curve that leaves the picture says nothing.
    this.top = wanted > this.top ? wanted : this.top + (wanted - this.top) * 0.04;
  }

  axis(view) {
    const { context } = this;
    const steps = [0.5, 1, 2, 5, 10, 20];
    const step = steps.find((one) => this.top / one <= 4) ?? 50;
    context.font = `${11 * view.unit}px system-ui, sans-serif`;
    context.fillStyle = this.colours.soft;
    context.strokeStyle = this.colours.grid;
    context.lineWidth = view.unit;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let value = 0; value <= this.top; value += step) {
      const y = Math.round(view.y(value)) + 0.5;
      context.beginPath();
      context.moveTo(view.left, y);
      context.lineTo(view.right, y);
      context.stroke();
      context.fillText(value ? `${value}` : "0 px", view.left - 5 * view.unit, y);
    }
  }

  line(samples, view, value, colour, width, dash = []) {
    const { context } = this;
    context.beginPath();
    samples.trace(view.from, view.to, (1.5 * view.unit) / view.perSecond, value, (time, size, begins) => {
      if (begins) context.moveTo(view.x(time), view.y(size));
      else context.lineTo(view.x(time), view.y(size));
    });
    context.strokeStyle = colour;
    context.lineWidth = width * view.unit;
    context.setLineDash(dash.map((length) => length * view.unit));
    context.lineJoin = "round";
    context.stroke();
    context.setLineDash([]);
  }

  mainLines(samples, view) {
    this.line(samples, view, (slot) => samples.threshold[slot], this.colours.limit, 1.2, [5, 4]);
    this.line(samples, view, (slot) => samples.strength[slot], this.colours.curve, 1.8);
  }

  regionLines(samples, view) {
    const count = samples.regions;
    for (let region = 0; region < count; region += 1) {
      const colour = `hsl(${Math.round((360 * region) / count)} 60% ${this.colours.dark ? 66 : 42}% / 60%)`;
      this.line(samples, view, (slot) => samples.movement[slot * count + region], colour, 0.8);
    }
  }

  otherLines(view) {
    const { context } = this;
    context.strokeStyle = this.colours.other;
    context.lineWidth = 1.1 * view.unit;
    for (const line of this.others.values()) {
      context.beginPath();
      let last = null;
      for (const [time, strength] of line) {
        if (time < view.from || Number.isNaN(strength)) continue;
        if (last === null || time - last > 0.5) context.moveTo(view.x(time), view.y(strength));
        else context.lineTo(view.x(time), view.y(strength));
        last = time;
      }
      context.stroke();
    }
  }

  point(x, y) {
    this.hover = x === null ? null : { x, y };
    if (!this.hover) this.tip.hidden = true;
    this.last = 0;
  }

  showHover(samples, view) {
    const time = view.from + (this.hover.x * view.unit - view.left) / view.perSecond;
    const sample = samples.at(time);
    if (!sample || this.hover.x * view.unit < view.left) {
      this.tip.hidden = true;
      return;
    }
    const { context } = this;
    const x = Math.round(view.x(sample.time)) + 0.5;
    context.strokeStyle = this.colours.soft;
    context.lineWidth = view.unit;
    context.beginPath();
    context.moveTo(x, view.top);
    context.lineTo(x, view.bottom);
    context.stroke();
    this.tip.replaceChildren(...this.tipLines(sample));
    this.tip.hidden = false;
    const left = Math.min(this.hover.x + 14, this.canvas.clientWidth - this.tip.offsetWidth - 6);
    this.tip.style.transform = `translate(${Math.max(0, left)}px, ${Math.max(0, this.hover.y - 8)}px)`;
  }

  tipLines(sample) {
    const size = (value) => (Number.isNaN(value) ? "–" : words("live.px", { n: value.toFixed(2) }));
    const lines = [
      make("b", { text: clockTime(sample.time) }),
      make("span", { text: `${words("live.strength")} ${size(sample.strength)} · ${words("live.threshold")} ${size(sample.threshold)}` }),
    ];
    const largest = [...sample.regions].map((value, row) => [value, row]).filter(([value]) => value > 0.2);
    largest.sort(([a], [b]) => b - a);
    for (const [value, row] of largest.slice(0, 3)) {
      lines.push(make("span", { text: `${regionWord(this.regionNames[row] ?? row)} ${size(value)}` }));
    }
    for (const gate of sample.gates) lines.push(make("span", { class: "doubt", text: gateWord(gate) }));
    const event = this.events.find((one) => sample.time >= one.onset_s && sample.time <= one.offset_s);
    if (event) lines.push(make("span", { class: "hit", text: `${kindWord(event.kind)}: ${labelWord(event.label)}` }));
    return lines;
  }

  /** Gates of the span shown, with their colours: for the legend. */
  gatesShown() {
    const view = this.frame();
    const names = new Set();
    (this.paused?.samples ?? this.samples).gateSpans(view.from, view.to, (name) => names.add(name));
    return [...names].map((name) => ({ name, colour: gateColour(name) }));
  }

  close() {
    this.sizes.disconnect();
  }
}
