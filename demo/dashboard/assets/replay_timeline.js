// The whole recording on one canvas: movement over its threshold, events, what was not reported, doubts; to zoom and scrub.
import { clockTime, make } from "./live_elements.js";
import { Ink } from "./replay_ink.js";
import { symbol } from "./replay_symbols.js";
import { gateWord, kindInShort, labelWord, reasonWords } from "./terms.js";
import { words } from "./words.js";

const RULER = 20;
const MARKS = 30;
const GATES = 8;
const LANE = 30;
const OVERVIEW = 18;
const SHORTEST_S = 0.15;
const CLICK_PX = 4;

/** Tells "seek" (detail: seconds, done) while it is scrubbed, "choose" (detail: an event or rejected movement) when one is clicked. */
export class Timeline extends EventTarget {
  constructor() {
    super();
    this.session = null;
    this.time = 0;
    this.selected = null;
    this.looped = null;
    this.withLanes = false;
    this.withRejected = true;
    this.course = make("canvas", { class: "course", "aria-hidden": "true" });
    this.needle = make("canvas", { class: "needle", "aria-hidden": "true" });
    this.tip = make("div", { class: "tip", hidden: true, "aria-hidden": "true" });
    this.slider = make("div", { class: "tracks", role: "slider", tabindex: "0", "aria-label": words("replay.timeline"),
      "aria-valuemin": "0", "aria-describedby": "replay-keys" }, this.course, this.needle, this.tip);
    this.legend = make("div", { class: "legend" });
    this.element = make("section", { class: "timeline" }, this.slider, this.makeBar());
    this.pointers = new Map();
    this.listen();
    new ResizeObserver(() => this.fit()).observe(this.slider);
    // Light and dark are a class on the body.
    new MutationObserver(() => this.draw()).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  makeBar() {
    const button = (name, shape, action, hint) => make("button", { type: "button", class: "icon small", "data-part": name,
      "aria-label": words(`replay.${name}`), title: `${words(`replay.${name}`)} (${hint})`, onclick: action }, symbol(shape));
    const toggle = (name, on, action) => {
      const made = make("button", { type: "button", class: "toggle small", "data-part": name, "aria-pressed": String(on), text: words(`replay.${name}`) });
      made.addEventListener("click", () => {
        const now = made.getAttribute("aria-pressed") !== "true";
        made.setAttribute("aria-pressed", String(now));
        action(now);
      });
      return made;
    };
    return make("div", { class: "bar" },
      this.legend,
      make("div", { class: "group end" },
        toggle("lanes", this.withLanes, (on) => { this.withLanes = on; this.fit(); }),
        toggle("ghosts", this.withRejected, (on) => { this.withRejected = on; this.draw(); }),
        button("zoom-out", "smaller", () => this.zoom(1 / 1.6), "−"),
        button("zoom-in", "larger", () => this.zoom(1.6), "+"),
        button("zoom-all", "whole", () => this.showAll(), "0")));
  }

  open(session) {
    this.session = session;
    this.selected = null;
    this.looped = null;
    this.from = session?.start ?? 0;
    this.to = session?.end ?? 1;
    this.time = this.from;
    this.element.hidden = !session || !(session.count || session.events.length);
    if (session) {
      this.top = heightOf(session);
      this.slider.setAttribute("aria-valuemax", session.end.toFixed(3));
      this.showLegend();
    }
    this.fit();
  }

  /** Move the needle; the view follows it where it leaves. */
  moveTo(time, following) {
    this.time = time;
    this.slider.setAttribute("aria-valuenow", time.toFixed(3));
    this.slider.setAttribute("aria-valuetext", clockTime(time, 3));
    if (following && (time < this.from || time > this.to)) {
      const wide = this.to - this.from;
      const from = time > this.to ? time - 0.1 * wide : time - 0.5 * wide;
      this.view(from, from + wide);
    } else this.drawNeedle();
  }

  select(movement) {
    this.selected = movement;
    if (movement && (movement.offset_s < this.from || movement.onset_s > this.to)) {
      const wide = this.to - this.from;
      this.view(movement.apex_s - wide / 2, movement.apex_s + wide / 2);
    } else this.draw();
  }

  /** Show one movement large. */
  approach(movement) {
    const margin = Math.max(1.0, 2 * (movement.offset_s - movement.onset_s));
    this.view(movement.onset_s - margin, movement.offset_s + margin);
  }

  showAll() {
    if (this.session) this.view(this.session.start, this.session.end);
  }

  zoom(factor, around = this.time) {
    const middle = around >= this.from && around <= this.to ? around : (this.from + this.to) / 2;
    this.view(middle - (middle - this.from) / factor, middle + (this.to - middle) / factor);
  }

  pan(share) {
    const by = share * (this.to - this.from);
    this.view(this.from + by, this.to + by);
  }

  view(from, to) {
    if (!this.session) return;
    const { start, end } = this.session;
    const wide = Math.min(end - start, Math.max(SHORTEST_S, to - from));
    const middle = (from + to) / 2;
    this.from = Math.max(start, Math.min(end - wide, middle - wide / 2));
    this.to = this.from + wide;
    this.draw();
  }

  // Places on the canvas, in CSS pixels.
  get laid() {
    const lanes = this.withLanes ? (this.session?.lanes.length ?? 0) : 0;
    const curve = this.high - RULER - MARKS - GATES - OVERVIEW - 10 - lanes * LANE;
    const below = RULER + MARKS + curve;
    return { marks: RULER, curve: RULER + MARKS, curveHigh: curve, gates: below + 3, lanes: below + GATES + 6, laneCount: lanes,
      overview: this.high - OVERVIEW };
  }

  x(time) {
    return ((time - this.from) / (this.to - this.from)) * this.wide;
  }

  timeAt(x) {
    return this.from + (x / Math.max(1, this.wide)) * (this.to - this.from);
  }

  fit() {
    const lanes = this.withLanes ? (this.session?.lanes.length ?? 0) : 0;
    this.slider.style.setProperty("--lanes", `${lanes * LANE}px`);
    this.wide = this.slider.clientWidth;
    this.high = this.slider.clientHeight;
    const unit = window.devicePixelRatio || 1;
    for (const canvas of [this.course, this.needle]) {
      canvas.width = Math.round(this.wide * unit);
      canvas.height = Math.round(this.high * unit);
    }
    this.draw();
  }

  draw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = null;
      if (!this.session || !this.wide) return;
      const ink = new Ink(this, this.course);
      ink.ruler();
      ink.looped();
      ink.unseen();
      if (this.withRejected) ink.rejected();
      ink.events();
      ink.curve();
      ink.gates();
      ink.lanes();
      ink.notes();
      ink.overview();
      this.drawNeedle();
    });
  }

  drawNeedle() {
    if (this.session && this.wide) new Ink(this, this.needle).needle();
  }

  showLegend() {
    const gates = Object.keys(this.session.gates);
    const entry = (look, text, colour) => {
      const swatch = make("i", { class: look });
      if (colour) swatch.style.background = colour;
      return make("span", {}, swatch, text);
    };
    this.legend.replaceChildren(
      entry("strength", words("replay.strength")), entry("limit", words("replay.threshold")),
      entry("ghost", words("replay.not-reported")),
      ...gates.map((name) => entry("gate", gateWord(name), Ink.gateColour(name))));
  }

  listen() {
    const { slider } = this;
    slider.addEventListener("pointerdown", (event) => this.press(event));
    slider.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) slider.addEventListener(end, (event) => this.release(event));
    slider.addEventListener("pointerleave", () => (this.tip.hidden = true));
    slider.addEventListener("dblclick", (event) => {
      const found = this.movementAt(event.offsetX, event.offsetY);
      if (found) this.approach(found);
    });
    slider.addEventListener("wheel", (event) => {
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan((event.deltaX || event.deltaY) / 800);
      else if (event.ctrlKey || event.metaKey || document.activeElement?.shadowRoot?.activeElement === slider || this.hovered) {
        this.zoom(Math.exp(-event.deltaY / 300), this.timeAt(event.offsetX));
      } else return;
      event.preventDefault();
    }, { passive: false });
    // The page scrolls over the timeline until somebody has rested on it.
    slider.addEventListener("pointerenter", () => (this.resting = setTimeout(() => (this.hovered = true), 350)));
    slider.addEventListener("pointerleave", () => {
      clearTimeout(this.resting);
      this.hovered = false;
    });
  }

  press(event) {
    if (!this.session || event.button) return;
    this.slider.setPointerCapture(event.pointerId);
    this.slider.focus({ preventScroll: true });
    this.pointers.set(event.pointerId, event.offsetX);
    this.pinched = this.pointers.size === 2 ? { from: this.from, to: this.to, xs: [...this.pointers.values()] } : null;
    const part = event.offsetY >= this.laid.overview ? "overview" : event.offsetY < RULER ? "ruler" : "course";
    this.drag = { part, x: event.offsetX, from: this.from, moved: false };
    if (part === "overview") this.lookAt(event.offsetX);
    else if (part === "course" && !this.movementAt(event.offsetX, event.offsetY)) this.scrub(event.offsetX, false);
  }

  move(event) {
    if (!this.session) return;
    if (!this.pointers.has(event.pointerId)) {
      this.point(event.offsetX, event.offsetY);
      return;
    }
    this.pointers.set(event.pointerId, event.offsetX);
    if (this.pinched) {
      this.pinch();
      return;
    }
    this.drag.moved ||= Math.abs(event.offsetX - this.drag.x) > CLICK_PX;
    if (!this.drag.moved) return;
    this.tip.hidden = true;
    if (this.drag.part === "overview") this.lookAt(event.offsetX);
    else if (this.drag.part === "ruler") {
      const from = this.drag.from - ((event.offsetX - this.drag.x) / this.wide) * (this.to - this.from);
      this.view(from, from + this.to - this.from);
    } else this.scrub(event.offsetX, false);
  }

  release(event) {
    const drag = this.drag;
    this.pointers.delete(event.pointerId);
    if (this.pinched || !drag) {
      if (!this.pointers.size) this.pinched = this.drag = null;
      return;
    }
    this.drag = null;
    if (drag.part === "overview") return;
    const found = drag.moved ? null : this.movementAt(event.offsetX, event.offsetY);
    if (found) this.dispatchEvent(new CustomEvent("choose", { detail: found }));
    else if (drag.part === "course" || !drag.moved) this.scrub(event.offsetX, true);
  }

  scrub(x, done) {
    const time = Math.max(this.session.start, Math.min(this.session.end, this.timeAt(x)));
    this.dispatchEvent(new CustomEvent("seek", { detail: { time, done } }));
  }

  lookAt(x) {
    const { start, end } = this.session;
    const middle = start + (x / this.wide) * (end - start);
    const half = (this.to - this.from) / 2;
    if (2 * half >= end - start - 1e-6) this.scrub(x, true);
    else this.view(middle - half, middle + half);
  }

  pinch() {
    const xs = [...this.pointers.values()];
    const before = this.pinched;
    const timeBefore = (x) => before.from + (x / this.wide) * (before.to - before.from);
    const spread = Math.max(20, Math.abs(xs[0] - xs[1])) / Math.max(20, Math.abs(before.xs[0] - before.xs[1]));
    const wide = (before.to - before.from) / spread;
    const fixed = timeBefore((before.xs[0] + before.xs[1]) / 2);
    const share = (xs[0] + xs[1]) / 2 / this.wide;
    this.view(fixed - share * wide, fixed + (1 - share) * wide);
  }

  /** The event, or else the rejected movement, whose mark is under the pointer. */
  movementAt(x, y) {
    const { marks } = this.laid;
    if (!this.session || y < marks || y > marks + MARKS) return null;
    const near = (one) => x >= this.x(one.onset_s) - 5 && x <= Math.max(this.x(one.offset_s), this.x(one.onset_s) + 4) + 5;
    const nearest = (list) => list.filter(near).sort((a, b) => Math.abs(this.x(a.apex_s) - x) - Math.abs(this.x(b.apex_s) - x))[0];
    const events = nearest(this.session.events);
    const ghosts = this.withRejected ? nearest(this.session.rejected) : null;
    return (y > marks + 18 ? ghosts ?? events : events ?? ghosts) ?? null;
  }

  point(x, y) {
    const found = this.movementAt(x, y);
    this.slider.style.cursor = found ? "pointer" : y < RULER ? "grab" : "";
    const lines = y >= this.laid.overview ? [] : found ? this.saidOf(found) : this.saidAt(this.timeAt(x));
    this.tip.hidden = !lines.length;
    this.tip.replaceChildren(...lines.map((line) => make("div", { text: line })));
    const right = x > this.wide - 190;
    this.tip.style.left = right ? "" : `${x + 14}px`;
    this.tip.style.right = right ? `${this.wide - x + 14}px` : "";
    this.tip.style.top = `${Math.max(0, Math.min(this.high - 24 - 20 * lines.length, y - 10))}px`;
  }

  saidOf(movement) {
    const times = `${clockTime(movement.onset_s, 2)} – ${clockTime(movement.offset_s, 2)}`;
    if (movement.number) return [words("replay.not-reported"), times, reasonWords(movement.reason)];
    const label = this.session.remarkOn(`event:${movement.event_id}`)?.label ?? movement.label;
    return [`#${movement.event_id} ${kindInShort(movement.kind)} · ${labelWord(label)}`, times];
  }

  saidAt(time) {
    const { session } = this;
    if (!session.count) return [clockTime(time, 2)];
    const place = session.placeAt(time);
    const [strength, threshold] = [session.strength[place], session.threshold[place]];
    const size = Number.isFinite(strength) ? `${strength.toFixed(2)} px` + (Number.isFinite(threshold) ? ` / ${threshold.toFixed(2)}` : "") : null;
    const gates = session.gatesAt(session.times[place]).map(gateWord);
    if (session.unseenAt(session.times[place])) gates.push(gateWord("no-face"));
    return [`${clockTime(session.times[place], 3)} · ${words("replay.frame", { n: session.indices[place] })}`, size, ...gates].filter(Boolean);
  }
}

/** Movement at the upper edge: a micro-expression fills the curve; a macro-expression may be cut, or it would flatten the others. */
function heightOf(session) {
  const micro = session.events.filter((event) => event.kind === "micro").map((event) => event.strength);
  const tallest = Math.max(0, ...(micro.length ? micro : session.events.map((event) => event.strength)));
  const limits = session.threshold.filter(Number.isFinite).sort();
  const usual = limits.length ? limits[limits.length >> 1] : 0.8;
  return Math.max(2.2 * usual, 1.15 * Math.min(tallest, 20 * usual));
}
