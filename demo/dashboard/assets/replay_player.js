// The picture and its controls: one frame at a time, at any speed, the whole picture or the face alone.
import { clockTime, make } from "./live_elements.js";
import { Frames } from "./replay_frames.js";
import { symbol } from "./replay_symbols.js";
import { gateWord, kindInShort, labelWord } from "./terms.js";
import { words } from "./words.js";

const SPEEDS = [1, 0.5, 0.25, 0.1];
const AHEAD = 8;
const BEHIND = 4;
const SLOW_MS = 180; // a frame that takes longer than this is announced
const FLICKER_MS = 420;
const NEAR_EVENT_S = 1.0;
const FACE_SPAN_S = 2.0; // the face is cut out in one place for so long, so that stepping does not shake it

/** Tells "place" when another frame is to be shown; `place` counts the frames that the session read. */
export class Player extends EventTarget {
  constructor() {
    super();
    this.session = null;
    this.place = 0;
    this.speed = 1;
    this.playing = false;
    this.faceOnly = false;
    this.looped = null;
    this.selected = null;
    this.canvas = make("canvas", { class: "picture", tabindex: "0", role: "img", "aria-label": words("replay.no-picture") });
    this.context = this.canvas.getContext("2d");
    this.badges = make("div", { class: "badges", "aria-live": "off" });
    this.message = make("p", { class: "message", role: "status", hidden: true });
    this.busy = make("div", { class: "busy", hidden: true });
    this.stage = make("div", { class: "stage" }, this.canvas, this.badges, this.busy, this.message);
    this.controls = this.makeControls();
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  makeControls() {
    const button = (name, shape, action, hint = "") => {
      const label = words(`replay.${name}`);
      const title = hint ? `${label} (${hint})` : label;
      return make("button", { type: "button", class: "icon", "data-part": name, "aria-label": label, title, onclick: action }, symbol(shape));
    };
    this.playButton = button("play", "play", () => this.toggle(), words("replay.key-space"));
    this.clock = make("output", { class: "clock", "data-part": "clock" });
    this.speedChoice = make("select", { "aria-label": words("replay.speed"), title: words("replay.speed") },
      ...SPEEDS.map((speed) => make("option", { value: speed, text: `${speed === 1 ? "1" : fraction(speed)}×` })));
    this.speedChoice.addEventListener("change", () => this.setSpeed(Number(this.speedChoice.value)));
    const toggle = (name, action) => make("button", { type: "button", class: "toggle", "data-part": name, "aria-pressed": "false",
      title: words(`replay.${name}-hint`), text: words(`replay.${name}`), onclick: action });
    this.faceButton = toggle("face", () => this.setFace(!this.faceOnly));
    this.loopButton = toggle("loop", () => this.setLoop(this.looped ? null : this.selected));
    this.flickerButton = toggle("flicker", () => this.setFlicker(!this.flicker));
    return make("div", { class: "controls", role: "toolbar", "aria-label": words("replay.controls") },
      make("div", { class: "group" },
        button("previous-event", "previous", () => this.toEvent(-1), "P"),
        button("back", "back", () => this.step(-1), "←"),
        this.playButton,
        button("forward", "forward", () => this.step(1), "→"),
        button("next-event", "next", () => this.toEvent(1), "N")),
      this.clock,
      make("div", { class: "group end" }, this.speedChoice, this.loopButton, this.flickerButton, this.faceButton));
  }

  open(session) {
    this.pause();
    this.setFlicker(false);
    this.frames?.close();
    this.session = session;
    this.frames = session ? new Frames(session.base) : null;
    this.shown = null;
    this.looped = null;
    this.selected = null;
    this.place = 0;
    delete this.canvas.dataset.index;
    this.say(null);
    const possible = Boolean(session?.count && session.footage.there);
    this.controls.inert = !session?.count;
    for (const part of [this.faceButton, this.flickerButton]) part.disabled = !possible;
    this.stage.classList.toggle("without-footage", !possible);
    if (session && !session.footage.there) this.say(missingWords(session), "moved");
    else if (session && !session.count) this.say(words("replay.no-frames"));
    this.select(null);
    this.draw();
    if (session?.count) this.seek(0);
  }

  get time() {
    return this.session?.count ? this.session.times[this.place] : 0;
  }

  get index() {
    return this.session?.count ? this.session.indices[this.place] : null;
  }

  /** Show the frame of a place; it is fetched, and its neighbours after it. */
  seek(place) {
    if (!this.session?.count) return;
    this.place = Math.max(0, Math.min(this.session.count - 1, Math.round(place)));
    this.tell();
    this.want();
    this.dispatchEvent(new Event("place"));
  }

  seekTime(time) {
    this.seek(this.session.placeAt(time));
  }

  seekIndex(index) {
    this.seek(this.session.placeOf(index));
  }

  step(frames) {
    this.pause();
    this.seek(this.place + frames);
  }

  /** To the apex of the next or the previous event, and select it. */
  toEvent(direction) {
    const events = this.session?.inOrder ?? [];
    if (!events.length) return;
    const here = this.selected && events.includes(this.selected) ? events.indexOf(this.selected) : -1;
    let next = here < 0 ? null : events[here + direction];
    if (here < 0) {
      const after = events.findIndex((event) => event.apex_s > this.time);
      next = direction > 0 ? events[after] : events[(after < 0 ? events.length : after) - 1];
    }
    if (next) this.dispatchEvent(new CustomEvent("choose", { detail: next }));
  }

  select(movement) {
    this.selected = movement;
    if (this.looped) this.setLoop(movement);
    if (this.flicker && movement) this.setFlicker(true);
    this.loopButton.disabled = !movement || !this.session?.count;
    this.flickerButton.disabled = !movement || !this.session?.count || !this.session?.footage.there;
    if (!movement) this.setFlicker(false);
    this.tell();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (!this.session?.count) return;
    this.setFlicker(false);
    if (this.looped && !inside(this.looped, this.time)) this.seekTime(this.looped.from);
    if (this.place >= this.session.count - 1) this.seek(0);
    this.playing = true;
    this.begun = { time: this.time, at: performance.now() };
    this.showPlaying();
    requestAnimationFrame(() => this.tick());
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.showPlaying();
    if (this.session) this.want();
  }

  tick() {
    if (!this.playing) return;
    let time = this.begun.time + ((performance.now() - this.begun.at) / 1000) * this.speed;
    if (this.looped && time > this.looped.to) {
      time = this.looped.from;
      this.begun = { time, at: performance.now() };
    }
    const place = this.session.placeBefore(time);
    if (place !== this.place) this.seek(place);
    if (place >= this.session.count - 1 && !this.looped) this.pause();
    else requestAnimationFrame(() => this.tick());
  }

  setSpeed(speed) {
    this.speed = speed;
    this.speedChoice.value = String(speed);
    if (this.playing) this.begun = { time: this.time, at: performance.now() };
  }

  setLoop(movement) {
    const margin = 0.2;
    this.looped = movement ? { from: Math.max(0, movement.onset_s - margin), to: movement.offset_s + margin } : null;
    this.loopButton.setAttribute("aria-pressed", String(Boolean(movement)));
    this.dispatchEvent(new Event("loop"));
  }

  setFace(on) {
    this.faceOnly = on;
    this.faceButton.setAttribute("aria-pressed", String(on));
    if (this.session?.count) this.want();
  }

  /** Show onset and apex in turn, in one place: the eye sees what moves. */
  setFlicker(on) {
    clearInterval(this.flickering);
    this.flicker = Boolean(on && this.selected);
    this.flickerButton.setAttribute("aria-pressed", String(this.flicker));
    if (!this.flicker) {
      if (on === false && this.session?.count) this.want();
      return;
    }
    this.pause();
    const { onset_index: onset, apex_index: apex } = this.selected;
    let turn = 0;
    const swap = () => this.seekIndex(turn++ % 2 ? onset : apex);
    swap();
    this.flickering = setInterval(swap, FLICKER_MS);
  }

  showPlaying() {
    const label = words(this.playing ? "replay.pause" : "replay.play");
    this.playButton.replaceChildren(symbol(this.playing ? "pause" : "play"));
    this.playButton.setAttribute("aria-label", label);
    this.playButton.title = `${label} (${words("replay.key-space")})`;
  }

  /** By which frame the face is cut out: the event's own onset near one, else one frame for some seconds. */
  faceOf(place) {
    if (!this.faceOnly) return null;
    const { session } = this;
    const time = session.times[place];
    const near = this.selected && time > this.selected.onset_s - NEAR_EVENT_S && time < this.selected.offset_s + NEAR_EVENT_S;
    if (near) return this.selected.onset_index;
    const middle = (Math.floor(time / FACE_SPAN_S) + 0.5) * FACE_SPAN_S;
    return session.indices[session.placeAt(middle)];
  }

  async want() {
    if (!this.session?.footage.there) return;
    this.wanted = { place: this.place, face: this.faceOf(this.place) };
    if (this.fetching) return;
    this.fetching = true;
    const { frames, session } = this;
    while (this.frames === frames && this.wanted) {
      const { place, face } = this.wanted;
      this.wanted = null;
      const late = setTimeout(() => (this.busy.hidden = false), SLOW_MS);
      try {
        await this.show(frames, session, place, face);
      } finally {
        clearTimeout(late);
        this.busy.hidden = true;
      }
    }
    this.fetching = false;
    if (this.frames !== frames && this.wanted) this.want();
    else if (this.frames === frames) this.expect();
  }

  async show(frames, session, place, face) {
    const index = session.indices[place];
    try {
      const picture = await frames.get(index, face);
      if (this.frames !== frames) return;
      this.shown = picture;
      this.say(null);
      this.draw();
      this.canvas.dataset.index = String(index);
      this.canvas.setAttribute("aria-label", words("replay.picture", { frame: index, time: clockTime(session.times[place], 3) }));
    } catch (fault) {
      if (this.frames !== frames) return;
      if (face != null) {
        this.setFace(false);
        this.note(words("replay.no-face-here"));
        return;
      }
      this.shown = null;
      this.draw();
      this.say(fault.message);
    }
  }

  expect() {
    const { session } = this;
    const stride = this.playing ? Math.max(1, Math.round((this.speed * session.count) / (session.end - session.start) / 30)) : 1;
    const places = [];
    for (let step = 1; step <= AHEAD; step += 1) {
      places.push(this.place + step * stride);
      if (!this.playing && step <= BEHIND) places.push(this.place - step);
    }
    if (!this.playing && this.selected && !this.flicker) {
      const named = ["onset_index", "apex_index", "offset_index"];
      places.push(...named.map((name) => session.placeOf(this.selected[name])));
    }
    const there = places.filter((place) => place >= 0 && place < session.count);
    this.frames.expect(there.map((place) => ({ index: session.indices[place], face: this.faceOf(place) })));
  }

  say(text, kind = "fault") {
    this.message.hidden = !text;
    this.message.className = `message ${kind}`;
    this.message.textContent = text ?? "";
  }

  /** One line that goes by itself. */
  note(text) {
    this.say(text, "passing");
    clearTimeout(this.passing);
    this.passing = setTimeout(() => this.message.classList.contains("passing") && this.say(null), 3000);
  }

  draw() {
    const { canvas, context } = this;
    const unit = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(canvas.clientWidth * unit), Math.round(canvas.clientHeight * unit)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    context.clearRect(0, 0, width, height);
    if (!this.shown || !width) return;
    const scale = Math.min(width / this.shown.width, height / this.shown.height);
    const [wide, high] = [this.shown.width * scale, this.shown.height * scale];
    context.imageSmoothingQuality = "high";
    context.drawImage(this.shown, (width - wide) / 2, (height - high) / 2, wide, high);
  }

  /** Time and frame in the controls, and on the picture what it is a picture of. */
  tell() {
    const { session } = this;
    if (!session?.count) {
      this.clock.replaceChildren();
      this.badges.replaceChildren();
      return;
    }
    this.clock.replaceChildren(
      make("b", { text: clockTime(this.time, 3) }),
      make("span", { text: ` / ${clockTime(session.end, 1)}` }),
      make("span", { class: "frame", text: words("replay.frame", { n: this.index }) }));
    this.badges.replaceChildren(...this.momentBadges(), ...session.gatesAt(this.time).map((gate) => make("span", { class: "badge gate", text: gateWord(gate) })),
      ...(session.unseenAt(this.time) ? [make("span", { class: "badge gate", text: gateWord("no-face") })] : []));
  }

  momentBadges() {
    const [index, time] = [this.index, this.time];
    const here = this.session.events.filter((event) => event.onset_s <= time && time <= event.offset_s);
    return here.map((event) => {
      const moment = ["onset", "apex", "offset"].find((name) => event[`${name}_index`] === index);
      const called = this.session.remarkOn(`event:${event.event_id}`)?.label ?? event.label;
      const said = [`#${event.event_id}`, kindInShort(event.kind), labelWord(called), moment && words(`replay.${moment}`)];
      return make("span", { class: `badge ${event.kind}`, text: said.filter(Boolean).join(" · ") });
    });
  }
}

/** Why there is no picture, and what can be done. */
export const missingWords = ({ footage, record }) =>
  footage.live ? words("replay.watched-live") : words("replay.moved-away", { source: footage.source, place: record.source });
const fraction = (speed) => ({ 0.5: "½", 0.25: "¼", 0.1: "⅒" })[speed] ?? String(speed);
const inside = (span, time) => span.from <= time && time < span.to;
