// <onset-sessions>: every session in a list; one shown, several compared, exported or deleted.
import { make } from "./live_elements.js";
import { comparisonContent } from "./sessions_compare.js";
import { askBeforeDeleting } from "./sessions_delete.js";
import { sessionDetails } from "./sessions_details.js";
import { askForFormats, Exports } from "./sessions_export.js";
import { SessionList } from "./sessions_list.js";
import { addressOf, ask, askIfNew, called } from "./sessions_parts.js";
import { words } from "./words.js";

const REFRESH_MS = 4000;
const CALM = 20; // a list that takes long to be made is asked for less often
const REPLAYED = "onset-replay-session"; // what the replay view opens when it comes
const MOST_COMPARED = 8;

class OnsetSessions extends HTMLElement {
  connectedCallback() {
    if (!this.shadowRoot) this.build();
    this.seen = new IntersectionObserver(([entry]) => (entry.isIntersecting ? this.wake() : this.sleep()));
    this.seen.observe(this);
  }

  disconnectedCallback() {
    this.seen.disconnect();
    this.sleep();
  }

  build() {
    const root = this.attachShadow({ mode: "open" });
    this.all = [];
    this.formats = {};
    this.opened = null;
    this.list = new SessionList();
    this.exports = new Exports((text, bad) => this.say(text, bad));
    this.message = make("div", { class: "message", role: "status", "aria-live": "polite" });
    this.chosenBar = make("div", { class: "bar chosen", hidden: true });
    this.details = make("section", { class: "panel details", "aria-live": "off" });
    this.welcome = make("div", { class: "panel welcome", hidden: true }, make("b", { text: words("sessions.none") }), make("p", { class: "soft", text: words("sessions.none-how") }));
    this.frame = make("div", { class: "sessions", "data-state": "loading" }, this.message, this.exports.element, this.welcome,
      make("div", { class: "columns" }, make("div", { class: "left" }, this.chosenBar, this.list.element), this.details));
    root.append(make("link", { rel: "stylesheet", href: "/onset/assets/sessions.css" }), this.frame);
    this.list.addEventListener("open", (event) => this.open(event.detail, { go: true }));
    this.list.addEventListener("chosen", () => this.showChosen());
    this.showNothing();
  }

  wake() {
    this.awake = true;
    this.refresh();
    this.exports.watch();
  }

  sleep() {
    this.awake = false;
    clearTimeout(this.timer);
    this.exports.stop();
  }

  async refresh() {
    clearTimeout(this.timer);
    const begun = performance.now();
    try {
      const { status, tag, content } = await askIfNew("/onset/sessions", this.tag);
      if (this.lost) this.say("");
      this.lost = false;
      if (status !== 304) this.take(content);
      this.tag = tag;
      this.follow();
    } catch (fault) {
      this.lost = true;
      this.say(fault.message, true);
    }
    clearTimeout(this.timer); // another may have been asked meanwhile: one chain only
    if (this.awake) this.timer = setTimeout(() => this.refresh(), Math.max(REFRESH_MS, CALM * (performance.now() - begun)));
  }

  take(answer) {
    this.all = answer.sessions;
    this.formats = answer.formats;
    this.frame.dataset.state = this.all.length ? "some" : "none";
    this.welcome.hidden = this.all.length > 0;
    this.list.show(this.all);
    this.showChosen();
  }

  /** Keep what is shown as new as the list; never over what is being asked for or typed. */
  follow() {
    if (!this.opened || this.asking) return;
    if (!this.all.some((one) => one.name === this.opened.name)) this.showNothing();
    else if (this.stale() && !this.inUse()) this.open(this.opened.name, { byItself: true });
  }

  /** Whether somebody is at work in the details: a title that is being typed is not to be thrown away. */
  inUse() {
    return this.details.contains(this.shadowRoot.activeElement);
  }

  /** What is asked for the details takes the place of what was asked before. */
  askAlone() {
    this.asking?.abort();
    this.asking = new AbortController();
    return this.asking;
  }

  answered(asking) {
    if (this.asking === asking) this.asking = null;
  }

  /** Whether the opened session has more in it than is shown. */
  stale() {
    const now = this.all.find((one) => one.name === this.opened.name);
    return now.state !== this.opened.state || now.micro !== this.opened.micro || now.macro !== this.opened.macro;
  }

  say(text, bad = false) {
    this.message.textContent = text;
    this.message.classList.toggle("fault", bad);
  }

  /** Show one session. go: bring it into sight, on a phone instead of the list. byItself: nobody asked for it. */
  async open(name, { go = false, byItself = false } = {}) {
    const asking = this.askAlone();
    try {
      const session = await ask(addressOf(name), { signal: asking.signal });
      if (byItself && this.inUse()) return;
      this.opened = session;
      this.list.mark(name);
      this.details.dataset.session = name;
      delete this.details.dataset.compared;
      this.details.replaceChildren(...sessionDetails(session, this.actions()));
      if (go) this.toDetails();
    } catch (fault) {
      if (fault.name !== "AbortError") this.say(fault.message, true);
    } finally {
      this.answered(asking);
    }
  }

  actions() {
    return {
      replay: (name) => this.replay(name),
      export: (names) => this.export(names),
      remove: (names) => this.remove(names),
      entitled: () => this.refresh(),
      back: () => this.toList(),
      say: (text, bad) => this.say(text, bad),
    };
  }

  showNothing() {
    this.asking?.abort();
    this.opened = null;
    this.list.mark(null);
    delete this.details.dataset.session;
    delete this.details.dataset.compared;
    this.details.replaceChildren(make("p", { class: "soft pick", text: words("sessions.pick") }));
    this.frame.classList.remove("in-details");
  }

  toDetails() {
    this.frame.classList.add("in-details");
    if (this.getBoundingClientRect().width < 800) this.scrollIntoView({ block: "start" });
  }

  toList() {
    this.frame.classList.remove("in-details");
    this.list.rows.querySelector("tr.opened button.name")?.focus();
  }

  showChosen() {
    const names = [...this.list.chosen];
    this.chosenBar.hidden = !names.length;
    const compare = make("button", { type: "button", "data-part": "compare", disabled: names.length < 2 || names.length > MOST_COMPARED,
      title: words("sessions.compare-hint"), text: words("sessions.compare"), onclick: () => this.compare([...this.list.chosen]) });
    this.chosenBar.replaceChildren(make("b", { text: words("sessions.chosen", { n: names.length }) }), compare,
      make("button", { type: "button", "data-part": "export-chosen", text: words("sessions.export"), onclick: () => this.export([...this.list.chosen]) }),
      make("button", { type: "button", class: "danger", "data-part": "delete-chosen", text: words("sessions.delete"), onclick: () => this.remove([...this.list.chosen]) }),
      make("button", { type: "button", class: "plain", text: words("sessions.clear"), onclick: () => this.list.clear() }));
  }

  /** In the order of the list, as it is seen. */
  inOrder(names) {
    return this.list.shown.filter((one) => names.includes(one.name)).concat(this.all.filter((one) => names.includes(one.name) && !this.list.shown.includes(one)));
  }

  async compare(names) {
    const asking = this.askAlone();
    const query = new URLSearchParams(this.inOrder(names).map((one) => ["session", one.name]));
    try {
      const compared = await ask(`/onset/comparison?${query}`, { signal: asking.signal });
      this.opened = null;
      this.list.mark(null);
      delete this.details.dataset.session;
      this.details.dataset.compared = String(names.length);
      this.details.replaceChildren(...comparisonContent(compared, () => this.showNothing()));
      this.toDetails();
      this.details.querySelector("h3").focus();
    } catch (fault) {
      if (fault.name !== "AbortError") this.say(fault.message, true);
    } finally {
      this.answered(asking);
    }
  }

  nameOf(sessions) {
    return sessions.length === 1 ? called(sessions[0]) : words("sessions.n-sessions", { n: sessions.length });
  }

  export(names) {
    const sessions = this.inOrder(names);
    askForFormats(this.shadowRoot, this.nameOf(sessions), this.formats, async (formats) => {
      try {
        await ask("/onset/exports", { method: "POST", body: { sessions: sessions.map((one) => one.name), formats } });
        this.say("");
      } catch (fault) {
        this.say(fault.message, true);
      }
      this.exports.watch();
    });
  }

  remove(names) {
    const sessions = this.inOrder(names);
    const what = this.nameOf(sessions);
    askBeforeDeleting(this.shadowRoot, sessions, this.all, (gone, fault) => {
      if (fault) this.say(fault, true);
      else this.say(words("sessions.deleted", { what }));
      for (const name of gone) this.list.chosen.delete(name);
      this.refresh();
      this.list.search.focus();
    });
  }

  /** Open a session in the replay view; that may come into the page only with its tab. */
  replay(name) {
    localStorage.setItem(REPLAYED, name);
    document.querySelector("#onset-tab-replay-button")?.click();
    const until = performance.now() + 3000;
    const hand = () => {
      const view = document.querySelector("onset-replay");
      if (view?.shadowRoot) view.open(name);
      else if (performance.now() < until) setTimeout(hand, 50);
    };
    hand();
  }
}

customElements.define("onset-sessions", OnsetSessions);
