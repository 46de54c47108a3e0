// The engine view: checkpoints, their cards and engines; building, measuring, choosing. Draws what the server tells.
import { engineContent, choice } from "./engines_build.js";
import { cardContent } from "./engines_card.js";
import { machineContent, measureContent } from "./engines_measure.js";
import { badge, bytes, jobPanel, make, newest, redraw } from "./engines_parts.js";
import { sheet } from "./engines_style.js";
import { told } from "./engines_told.js";
import { words } from "./words.js";

const BUSY_MS = 400;
const IDLE_MS = 5000;
const TABS = ["card", "engines", "speed", "machine"];
const WORK_OF = { engines: "engine-build", speed: "engine-measure", machine: "doctor" };
const BACKENDS = ["auto", "tensorrt", "onnxruntime"];

class OnsetEngines extends HTMLElement {
  constructor() {
    super();
    this.overview = null;
    this.work = [];
    this.selected = null;
    this.backend = null;
    this.form = { precision: "fp32", capabilities: null, rebuild: false };
    this.said = { text: "", bad: false };
    this.cancel = (id) => this.post(`/onset/jobs/${id}/cancel`, null, null);
  }

  connectedCallback() {
    if (!this.shadowRoot) this.lay();
    this.connected = true;
    this.let = () => this.held && this.releaseIn(100); // a click may follow
    for (const type of ["pointerup", "pointercancel"]) window.addEventListener(type, this.let);
    this.refresh().then(() => this.watch());
  }

  disconnectedCallback() {
    this.connected = false;
    clearTimeout(this.timer);
    for (const type of ["pointerup", "pointercancel"]) window.removeEventListener(type, this.let);
    this.releaseIn(0);
  }

  lay() {
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const part = (name, tag = "section") => { this[name] = make(tag, { class: `panel ${name}` }); return this[name]; };
    this.file = make("input", { type: "file", accept: ".zip,application/zip", hidden: true, "aria-label": words("engines.add"), onchange: () => this.takeIn(this.file.files[0]) });
    this.message = make("div", { class: "message", role: "status", "aria-live": "polite" });
    root.append(this.file, this.message, make("div", { class: "columns" },
      make("div", { class: "side" }, part("list"), part("use")),
      make("div", { class: "main" }, this.tabs(), TABS.map((name) => part(name)))));
    for (const name of TABS) {
      Object.assign(this[name], { id: name, tabIndex: 0, role: "tabpanel" });
      this[name].setAttribute("aria-labelledby", `tab-${name}`);
    }
    this.turn("card");
    this.holdStill(root);
    root.addEventListener("dragover", (event) => event.preventDefault());
    root.addEventListener("drop", (event) => { event.preventDefault(); this.takeIn(event.dataTransfer.files[0]); });
  }

  /** Nothing is drawn anew between a press and its click: the click would be lost with its button. */
  holdStill(root) {
    root.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      clearTimeout(this.releasing);
      this.held = true;
    });
    root.addEventListener("click", () => {
      this.held = false;
      this.releaseIn(0); // after the click has done what it does
    }, { capture: true });
  }

  releaseIn(wait) {
    clearTimeout(this.releasing);
    this.releasing = setTimeout(() => {
      this.held = false;
      if (this.owed && this.overview) this[this.owed]();
    }, wait);
  }

  tabs() {
    const step = { ArrowRight: 1, ArrowLeft: -1 };
    const pressed = (event) => {
      if (!(event.key in step)) return;
      this.turn(TABS[(TABS.indexOf(this.tab) + step[event.key] + TABS.length) % TABS.length]);
      this.shadowRoot.getElementById(`tab-${this.tab}`).focus();
    };
    return make("div", { class: "tabs", role: "tablist", "aria-label": words("engines.parts"), onkeydown: pressed },
      TABS.map((name) => make("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": name, onclick: () => this.turn(name) }, words(`engines.tab.${name}`))));
  }

  turn(tab) {
    this.tab = tab;
    for (const name of TABS) {
      const button = this.shadowRoot.getElementById(`tab-${name}`);
      button.setAttribute("aria-selected", String(name === tab));
      button.tabIndex = name === tab ? 0 : -1;
      this[name].hidden = name !== tab;
    }
  }

  get entry() {
    return this.overview?.checkpoints.find((one) => one.name === this.selected);
  }

  async refresh() {
    try {
      const [overview, work] = await Promise.all(["/onset/engines", "/onset/engines/work"].map(fetched));
      Object.assign(this, { overview, work });
    } catch {
      this.say(words("shell.offline"), true);
      return;
    }
    if (this.said.text === words("shell.offline")) this.say("");
    this.backend ??= this.overview.chosen.backend;
    if (!this.entry) this.selected = this.overview.chosen.checkpoint;
    if (!this.entry) this.selected = this.overview.checkpoints[0].name;
    this.draw();
  }

  async watch() {
    if (!this.connected) return;
    const active = this.work.some((job) => job.state === "running" || job.state === "waiting");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look().finally(() => this.watch()), active ? BUSY_MS : IDLE_MS);
  }

  async look() {
    if (document.hidden || !this.checkVisibility()) return;
    if (!this.overview) { await this.refresh(); return; }
    let work;
    try {
      work = await fetched("/onset/engines/work");
    } catch {
      this.say(words("shell.offline"), true);
      this.overview = null;
      return;
    }
    const ended = work.some((job) => ["done", "failed", "cancelled"].includes(job.state) && this.work.find((one) => one.id === job.id)?.state !== job.state);
    const changed = JSON.stringify(work) !== JSON.stringify(this.work);
    this.work = work;
    if (ended) {
      const taken = work.find((job) => job.kind === "checkpoint-import" && job.state === "done");
      const before = new Set(this.overview.checkpoints.map((one) => one.name));
      await this.refresh();
      if (taken && !before.has(taken.result.checkpoint)) this.select(taken.result.checkpoint);
    } else if (changed) this.drawWork();
  }

  async post(address, body, saying = "") {
    try {
      const raw = body instanceof Blob;
      const answer = await fetch(address, { method: "POST", headers: raw ? { "content-type": "application/zip" } : { "content-type": "application/json" }, body: raw ? body : JSON.stringify(body ?? {}) });
      const told = await answer.json();
      if (!answer.ok) throw new Error(told.error ?? answer.statusText);
      if (saying !== null) this.say(saying);
      await this.look();
      this.watch();
      return told;
    } catch (fault) {
      this.say(told(fault.message), true);
      return null;
    }
  }

  say(text, bad = false) {
    this.said = { text, bad };
    this.message.className = `message${bad ? " fault" : ""}`;
    this.message.textContent = text;
    if (bad && text) this.message.scrollIntoView({ block: "nearest" });
  }

  select(name) {
    this.selected = name;
    this.draw();
  }

  build() {
    const { precision, capabilities, rebuild } = this.form;
    return this.post("/onset/engines/build", { checkpoint: this.selected, precision, capabilities: [...capabilities], rebuild });
  }

  measure() {
    return this.post("/onset/engines/measure", { checkpoint: this.selected });
  }

  examine() {
    return this.post("/onset/engines/examine", {});
  }

  async choose() {
    this.say(words("engines.trying"));
    const taken = await this.post("/onset/engines/choose", { checkpoint: this.selected, backend: this.backend }, null);
    await this.refresh();
    if (!taken) return;
    this.say(words("engines.taken", { name: taken.checkpoint, backend: taken.backend }));
    // The other views show what is chosen, too.
    window.dispatchEvent(new CustomEvent("onset-chosen", { detail: taken }));
  }

  async takeIn(file) {
    this.file.value = "";
    if (!file) return;
    if (!file.name.toLowerCase().endsWith(".zip")) { this.say(words("engines.zip-only", { name: file.name }), true); return; }
    this.say(words("engines.sending", { name: file.name, size: bytes(file.size) }));
    await this.post(`/onset/checkpoints?name=${encodeURIComponent(file.name)}`, file);
  }

  draw() {
    if (this.held) {
      this.owed = "draw";
      return;
    }
    redraw(this.card, cardContent(this.entry));
    redraw(this.use, this.useContent());
    this.drawWork();
  }

  drawWork() {
    if (this.held) {
      this.owed ??= "drawWork";
      return;
    }
    this.owed = null;
    redraw(this.list, this.listContent());
    this.drawEngines();
    redraw(this.speed, measureContent(this.entry, this));
    redraw(this.machine, machineContent(this));
    for (const [name, kind] of Object.entries(WORK_OF)) {
      const busy = this.work.some((job) => job.kind === kind && (job.state === "running" || job.state === "waiting"));
      this.shadowRoot.getElementById(`tab-${name}`).classList.toggle("busy", busy);
    }
  }

  drawEngines() {
    redraw(this.engines, engineContent(this.entry, this));
  }

  listContent() {
    const { checkpoints, chosen } = this.overview;
    const item = (one) => make("li", {}, make("button", {
      type: "button", class: "item", "data-key": `checkpoint ${one.name}`, "data-checkpoint": one.name, "aria-pressed": String(one.name === this.selected), onclick: () => this.select(one.name),
    }, make("span", { class: "head" }, make("b", {}, one.name),
      one.fault ? badge("bad", words("engines.damaged")) : one.name === chosen.checkpoint ? badge("used", words("engines.in-use")) : null),
    make("span", { class: "quiet" }, one.card ? `${one.card.model}${one.engines.length ? ` · ${words("engines.engine-count", { n: one.engines.length })}` : ""}` : told(one.fault))));
    const imports = newest(this.work, ["checkpoint-import"]).filter((job) => job.state !== "done");
    return [
      make("h3", {}, words("engines.checkpoints")),
      make("ul", { class: "items" }, checkpoints.map(item)),
      make("button", { type: "button", "data-key": "add", onclick: () => this.file.click() }, words("engines.add")),
      make("p", { class: "quiet" }, words("engines.add-hint")),
      imports.map((job) => jobPanel(job, { cancel: this.cancel })),
    ];
  }

  useContent() {
    const { chosen, checkpoints } = this.overview;
    const entry = this.entry;
    const against = (name) => (entry.fault || name === "auto" ? "" : told(entry.obstacles[name]));
    const hint = (name) => against(name) || (name === "auto" && entry.auto ? words("engines.auto-takes", { backend: entry.auto }) : words(`engines.hint.${name}`));
    const gone = !checkpoints.some((one) => one.name === chosen.checkpoint);
    return [
      make("h3", {}, words("engines.use")),
      make("p", { class: "now" }, words("engines.now"), " ", make("b", {}, `${chosen.checkpoint} · ${chosen.backend}`), gone ? make("span", { class: "fault" }, ` ${words("engines.gone")}`) : null,
        chosen.runs_on ? make("span", { class: "quiet block" }, chosen.runs_on) : null),
      make("fieldset", { class: "backends" }, make("legend", {}, words("engines.backend")),
        // One that cannot run stays choosable: trying it says why, and the old choice is kept.
        BACKENDS.map((name) => make("div", { class: against(name) ? "unable" : "" }, choice("radio", "backend", name, hint(name), this.backend === name, () => { this.backend = name; })))),
      make("button", { type: "button", class: "primary", "data-key": "use", disabled: Boolean(entry.fault), onclick: () => this.choose() }, words("engines.use-button", { name: entry.name })),
    ];
  }
}

async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.json();
}

customElements.define("onset-engines", OnsetEngines);
