// The live view: <onset-live> watches the one live run over a WebSocket; whoever opens the page sees the same.
import { ask, cameraFigures, forgetFault, hangUp, onCamera, send, sendsCamera, takeUpAgain } from "./live_camera.js";
import { Conditions, Figures } from "./live_conditions.js";
import { LiveConnection } from "./live_connection.js";
import { Curves } from "./live_curves.js";
import { OnsetCameraChoice, OnsetDial } from "./live_dial.js";
import { EventList } from "./live_event_list.js";
import { build } from "./live_layout.js";
import { Preview } from "./live_preview.js";
import { Notices, StateScreen, stateToShow } from "./live_states.js";
import { words } from "./words.js";

const OVER = new Set(["idle", "failed"]);
const LEGEND_EVERY_MS = 500;

class OnsetLive extends HTMLElement {
  connectedCallback() {
    if (this.connection) return;
    this.parts ??= this.make();
    this.state = { state: "idle", session: null };
    this.link = "connecting";
    this.connection = new LiveConnection({
      message: (message) => this.take(message),
      frame: (header, picture) => this.takeFrame(header, picture),
      link: (link) => this.linked(link),
    });
    this.forgetCamera = onCamera((fault) => {
      this.camera = fault;
      this.showState();
    });
    this.theme = new MutationObserver(() => this.takeColours());
    this.theme.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    this.takeColours();
    this.last = performance.now();
    this.tick = (now) => this.onScreen(now);
    this.request = requestAnimationFrame(this.tick);
    this.slow = setInterval(() => this.each(), LEGEND_EVERY_MS);
  }

  disconnectedCallback() {
    this.connection?.close();
    this.connection = null;
    this.forgetCamera?.();
    this.theme?.disconnect();
    cancelAnimationFrame(this.request);
    clearInterval(this.slow);
  }

  make() {
    const parts = {
      preview: new Preview((index) => this.connection?.send({ type: "seen", index })),
      curves: new Curves(),
      screen: new StateScreen(),
      notices: new Notices(),
      conditions: new Conditions(),
      figures: new Figures(),
    };
    parts.events = new EventList((list) => {
      parts.curves.withRejected = list === "rejected";
    });
    parts.layout = build(this.attachShadow({ mode: "open" }), parts);
    return parts;
  }

  take(message) {
    const received = performance.now();
    const { events, curves, conditions, notices } = this.parts;
    if (message.type === "state") this.takeState(message);
    if (message.type === "event" && message.session === this.state.session) {
      if (events.add(message, received)) curves.events = events.events;
    }
    if (message.type === "rejected" && message.session === this.state.session) {
      events.addRejected(message.rejected);
      curves.rejected = events.rejected;
    }
    if (message.type === "media" && message.session === this.state.session) events.drawn(message);
    if (message.type === "conditions") conditions.show(message.conditions);
    if (message.type === "notice") notices.add(message.level, message.text);
  }

  takeState(message) {
    const before = this.state;
    this.state = message;
    if (message.session && message.session !== before.session) this.begin(message);
    if (message.regions?.length) this.parts.curves.regionNames = message.regions;
    if (this.connection) this.connection.talking = message.state === "running";
    if (!OVER.has(message.state)) this.fault = null;
    if (OVER.has(message.state) && sendsCamera() && !this.starting) hangUp();
    if (message.source === "browser" && !OVER.has(message.state) && message.state !== "stopping") takeUpAgain(message.session);
    if (OVER.has(message.state)) this.parts.preview.clear();
    this.showState();
    // The controls beside this element follow, on every page that looks on.
    if (!before.told) this.dispatchEvent(new CustomEvent("onset-here", { bubbles: true }));
    this.state.told = true;
    this.dispatchEvent(new CustomEvent("onset-state", { bubbles: true, detail: message }));
  }

  begin(message) {
    const { preview, curves, events, conditions, figures } = this.parts;
    for (const part of [preview, curves, events, figures]) part.clear();
    conditions.show(null);
    this.parts.layout.pausing(false);
    this.header = null;
    this.session = message.session;
  }

  takeFrame(header, picture) {
    this.header = header;
    this.parts.curves.push(header.samples, header.faces);
    this.parts.preview.take(header, picture);
    if (!this.parts.screen.element.hidden) this.showState(); // the picture is there
  }

  linked(link) {
    this.link = link;
    this.showState();
  }

  onScreen(now) {
    const { curves } = this.parts;
    const running = this.state.state === "running" && now - this.parts.preview.heard < 1500;
    const passed = running ? Math.min(0.1, (now - this.last) / 1000) : 0;
    this.last = now;
    if (running || curves.last === 0) curves.draw(now, passed);
    this.request = requestAnimationFrame(this.tick);
  }

  /** Twice a second: what need not be quicker. */
  each() {
    this.showState();
    const { figures, preview, curves, layout } = this.parts;
    if (this.header) figures.show(this.state.state === "running" ? this.header : null, preview.figures());
    layout.legend(curves.gatesShown());
    layout.empty(curves.samples.count === 0);
  }

  showState() {
    const { screen, preview, layout } = this.parts ?? {};
    if (!screen) return;
    const now = performance.now();
    const { state, reason } = this.fault ?? this.state;
    const shown = stateToShow({ link: this.link, state, source: this.state.source, reason, camera: this.camera, heard: preview.heard, now });
    screen.show(shown, this.state.session);
    layout.state(this.state, this.header, shown ? "" : this.hint(now));
  }

  /** One line over the picture: what keeps the run from seeing. */
  hint(now) {
    if (this.camera?.state === "beside" && sendsCamera()) return this.camera.detail;
    return this.parts.preview.withoutFace(now) ? words("live.no-face") : "";
  }

  takeColours() {
    const dark = document.body.classList.contains("dark");
    this.toggleAttribute("dark", dark);
    const style = getComputedStyle(this);
    const names = ["soft", "grid", "curve", "limit", "other", "micro", "micro-fill", "macro", "macro-fill", "strip"];
    const colours = names.map((name) => [name.replace(/-(.)/, (_, letter) => letter.toUpperCase()), style.getPropertyValue(`--live-${name}`).trim()]);
    this.parts.curves.colours = { ...Object.fromEntries(colours), dark };
    this.parts.curves.last = 0;
  }

  /** A start that the dashboard refused: said where the picture would be. */
  refuse(reason) {
    this.fault = { state: "failed", reason };
    this.showState();
  }

  /** Begin a measurement: ages so far are forgotten. */
  measureAnew() {
    this.parts.preview.ages.clear();
    this.parts.events.ages.clear();
  }

  /** What tests and the benchmark read. */
  figures() {
    const { preview, curves, events } = this.parts;
    return {
      ...preview.figures(),
      eventToScreenMs: events.ages.figures(),
      events: events.count,
      rejected: events.rejectedCount,
      samples: curves.samples.count,
      curvesDrawn: curves.drawn,
      state: this.state.state,
      session: this.state.session,
      link: this.link,
      camera: cameraFigures(),
    };
  }
}

customElements.define("onset-live", OnsetLive);
customElements.define("onset-dial", OnsetDial);
customElements.define("onset-camera-choice", OnsetCameraChoice);

const live = () => document.querySelector("onset-live");

/** What the buttons beside the element call. */
globalThis.onsetLive = {
  /** Before a start: whether it may begin; a camera of this browser is asked for now. */
  prepare: async (source) => {
    if (source === "browser") return ask();
    forgetFault();
    return true;
  },
  /** After a start: {session, ticket, error}. */
  started: async (result) => {
    if (!result) return;
    if (result.error) live()?.refuse(result.error);
    else if (result.ticket) {
      live().starting = true;
      await send(result.ticket, result.session);
      live().starting = false;
    }
  },
  /** The dial moved. */
  dial: (position) => document.querySelectorAll("onset-dial").forEach((dial) => dial.setAttribute("position", position)),
};
