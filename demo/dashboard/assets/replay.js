// <onset-replay session="NAME">: look through a recorded session, frame by frame; files that are dropped on it are replayed.
import { make } from "./live_elements.js";
import { Jobs } from "./replay_jobs.js";
import { Lists } from "./replay_list.js";
import { missingWords, Player } from "./replay_player.js";
import { SessionData } from "./replay_session.js";
import { Timeline } from "./replay_timeline.js";
import { known, words } from "./words.js";

const KEPT = "onset-replay-session";
const UPLOAD = "#onset-replay-files input[type=file]";
const RUN = "#onset-replay-run";

class OnsetReplay extends HTMLElement {
  static observedAttributes = ["session"];

  connectedCallback() {
    if (!this.shadowRoot) this.build();
    this.seen = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) {
        this.jobs.stop();
        this.player.pause(); // nobody looks at it
        if (this.player.flicker) this.player.setFlicker(false);
      } else {
        this.jobs.start();
        this.tell(); // there may be new sessions to choose from
      }
    });
    this.seen.observe(this);
    this.keys = (event) => this.press(event);
    document.addEventListener("keydown", this.keys);
    this.begins = (event) => event.target.closest?.(event.type === "change" ? UPLOAD : RUN) && this.jobs.expect();
    for (const type of ["change", "click"]) document.addEventListener(type, this.begins, { capture: true });
    const name = this.getAttribute("session") || localStorage.getItem(KEPT);
    if (name) this.open(name, { quietly: true });
    else this.turnTo("none");
  }

  disconnectedCallback() {
    this.seen.disconnect();
    this.jobs.stop();
    this.player.open(null);
    document.removeEventListener("keydown", this.keys);
    for (const type of ["change", "click"]) document.removeEventListener(type, this.begins, { capture: true });
  }

  attributeChangedCallback(_name, before, now) {
    if (this.isConnected && this.shadowRoot && now && now !== before && now !== this.session?.name) this.open(now);
  }

  build() {
    const root = this.attachShadow({ mode: "open" });
    this.jobs = new Jobs();
    this.player = new Player();
    this.timeline = new Timeline();
    this.lists = new Lists();
    this.lists.host = this;
    this.head = make("header", { class: "title" });
    this.nothing = make("div", { class: "welcome" });
    this.body = make("div", { class: "body" },
      make("div", { class: "watch" }, this.player.stage, this.player.controls, this.timeline.element), this.lists.element);
    this.drop = make("div", { class: "drop", "aria-hidden": "true" }, make("b", { text: words("replay.drop") }));
    this.frame = make("div", { class: "replay", "data-state": "none" }, this.jobs.element, this.head, this.body, this.nothing,
      make("p", { class: "keys", id: "replay-keys", text: words("replay.keys") }), this.drop);
    root.append(make("link", { rel: "stylesheet", href: "/onset/assets/replay.css" }), this.frame);
    this.connect();
    this.acceptDrops();
    // The row of Gradio's own controls above.
    document.head.append(make("link", { rel: "stylesheet", href: "/onset/assets/replay_page.css" }));
  }

  connect() {
    const { player, timeline, lists, jobs } = this;
    player.addEventListener("place", () => timeline.moveTo(player.time, player.playing));
    player.addEventListener("choose", (event) => this.choose(event.detail));
    player.addEventListener("loop", () => {
      timeline.looped = player.looped;
      timeline.draw();
    });
    timeline.addEventListener("seek", (event) => {
      player.pause();
      player.setFlicker(false);
      player.seekTime(event.detail.time);
    });
    timeline.addEventListener("choose", (event) => this.choose(event.detail));
    lists.addEventListener("choose", (event) => this.choose(event.detail));
    lists.addEventListener("jump", (event) => player.seekTime(event.detail));
    lists.addEventListener("remark", () => {
      player.tell();
      timeline.draw();
    });
    jobs.addEventListener("done", (event) => this.ended(event.detail));
    jobs.addEventListener("open", (event) => this.open(event.detail));
  }

  /** Open what this page asked for; what another asked for takes no session away that is looked at. */
  ended({ job, mine }) {
    if (!job.result?.session) return;
    const looking = this.session || this.frame.dataset.state === "opening";
    if (mine || !looking) this.open(job.result.session);
    else this.jobs.offer(job);
  }

  /** Show a session; "" or null shows none. */
  async open(name, { quietly = false } = {}) {
    // What is open already stays as it is, unless it may have gone on since.
    this.opening?.abort();
    if (name && name === this.session?.name && this.session.state !== "interrupted") {
      this.turnTo("session");
      return;
    }
    if (!name) {
      this.show(null);
      return;
    }
    this.opening = new AbortController();
    this.turnTo("opening");
    try {
      const session = await SessionData.load(name, this.opening.signal);
      this.show(session);
    } catch (fault) {
      if (fault.name === "AbortError") return;
      // A session that was looked at last time may be gone: then there is none, without an alarm.
      localStorage.removeItem(KEPT);
      this.show(null, quietly ? null : fault.message);
    }
  }

  show(session, fault = null) {
    this.session = session;
    if (session) localStorage.setItem(KEPT, session.name);
    this.player.open(session);
    this.timeline.open(session);
    this.lists.open(session);
    this.showHead();
    this.turnTo(session ? "session" : "none", fault);
    this.timeline.fit();
    this.player.draw();
    this.tell();
  }

  /** Say outside which session is shown: the list of Gradio's shows it, too. */
  tell() {
    this.dispatchEvent(new CustomEvent("onset-opened", { bubbles: true, composed: true, detail: { session: this.session?.name ?? "" } }));
  }

  /** Look for replays that were started, at once. */
  expectJob() {
    this.jobs.expectNoMore();
  }

  choose(movement) {
    this.lists.select(movement);
    this.timeline.select(movement);
    this.player.select(movement);
    if (movement) this.toMoment(movement, "apex");
  }

  toMoment(movement, moment, pressed = false) {
    this.player.pause();
    this.player.setFlicker(false);
    this.player.seekIndex(movement[`${moment}_index`]);
    if (pressed) this.player.stage.scrollIntoView({ block: "nearest", behavior: "smooth" }); // on a phone it is above
  }

  turnTo(state, fault = null) {
    this.frame.dataset.state = state;
    const texts = state === "opening" ? [words("replay.opening")] : [fault ?? words("replay.welcome"), fault ? "" : words("replay.welcome-how")];
    this.nothing.replaceChildren(make("b", { text: texts[0] }), ...(texts[1] ? [make("p", { text: texts[1] })] : []));
    this.nothing.classList.toggle("fault", Boolean(fault));
  }

  showHead() {
    const { session } = this;
    if (!session) {
      this.head.replaceChildren();
      return;
    }
    const { record } = session;
    const source = session.footage.source || record.source || session.name;
    const count = (kind) => session.events.filter((event) => event.kind === kind).length;
    const began = record.started_at ? new Date(record.started_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : "";
    const facts = [began, lengthOf(session.end - session.start), record.frame_rate_hz && words("replay.rate", { n: Math.round(record.frame_rate_hz) }),
      record.sensitivity != null && words("replay.sensitivity-was", { n: record.sensitivity })];
    const state = known(`replay.state.${session.state}`) ? words(`replay.state.${session.state}`) : session.state;
    const because = record.reason && record.reason !== "cancelled in the dashboard" ? `${words(`replay.state-hint.${session.state}`)} ${record.reason}` : words(`replay.state-hint.${session.state}`);
    const chip = session.state === "complete" ? null : make("span", { class: `chip ${session.state}`, title: because, text: state });
    this.head.replaceChildren(...[
      make("h2", { title: session.name, text: source }),
      chip,
      session.footage.there ? null : make("span", { class: "chip moved", title: missingWords(session), text: words(session.footage.live ? "replay.not-recorded" : "replay.moved") }),
      make("span", { class: "tally micro" }, make("b", { text: String(count("micro")) }), ` ${words("replay.micro")}`),
      make("span", { class: "tally macro" }, make("b", { text: String(count("macro")) }), ` ${words("replay.macro")}`),
      make("span", { class: "soft facts", text: facts.filter(Boolean).join(" · ") }),
      session.report ? make("a", { class: "quiet", target: "_blank", rel: "noopener", href: `${session.base}/files/report.html`, text: words("replay.report") }) : null,
    ].filter(Boolean));
  }

  press(event) {
    if (!this.session || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (!this.checkVisibility() || document.querySelector("dialog[open]") || this.shadowRoot.querySelector("dialog[open]")) return;
    const target = event.composedPath()[0];
    if (target instanceof Element && target.closest("input, textarea, select, [contenteditable], video, [role=listbox], summary")) return;
    if (event.key === " " && target instanceof Element && target.closest("button, a")) return;
    const act = this.actions()[event.key];
    if (!act) return;
    event.preventDefault();
    act(event);
  }

  actions() {
    const { player, timeline } = this;
    const count = this.session.count;
    return {
      ArrowLeft: (event) => player.step(event.shiftKey ? -10 : -1),
      ArrowRight: (event) => player.step(event.shiftKey ? 10 : 1),
      Home: () => player.step(-count),
      End: () => player.step(count),
      " ": () => player.toggle(),
      n: () => player.toEvent(1),
      N: () => player.toEvent(1),
      p: () => player.toEvent(-1),
      P: () => player.toEvent(-1),
      "+": () => timeline.zoom(1.6),
      "=": () => timeline.zoom(1.6),
      "-": () => timeline.zoom(1 / 1.6),
      0: () => timeline.showAll(),
      Escape: () => this.choose(null),
    };
  }

  /** Videos dropped anywhere on the view go the way of the upload button. */
  acceptDrops() {
    const withFiles = (event) => event.dataTransfer?.types.includes("Files");
    let depth = 0;
    const over = (by) => {
      depth = Math.max(0, depth + by);
      this.frame.classList.toggle("dropping", depth > 0);
    };
    this.addEventListener("dragenter", (event) => withFiles(event) && over(1));
    this.addEventListener("dragleave", (event) => withFiles(event) && over(-1));
    this.addEventListener("dragover", (event) => withFiles(event) && event.preventDefault());
    this.addEventListener("drop", (event) => {
      if (!withFiles(event)) return;
      event.preventDefault();
      over(-depth);
      const input = document.querySelector(UPLOAD);
      if (!input || !event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}

function lengthOf(seconds) {
  if (seconds < 60) return words("replay.seconds", { n: seconds.toFixed(1) });
  return words("replay.minutes", { m: Math.floor(seconds / 60), s: Math.round(seconds % 60) });
}

customElements.define("onset-replay", OnsetReplay);
