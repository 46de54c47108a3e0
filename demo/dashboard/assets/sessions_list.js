// The list of sessions: searched, sorted, several chosen by their boxes, one shown; thousands are laid out as they scroll in.
import { make } from "./live_elements.js";
import { labelWord } from "./terms.js";
import { badge, bytes, called, day, length, quality } from "./sessions_parts.js";
import { words } from "./words.js";

const LAID_AT_ONCE = 120;
const COLUMNS = {
  session: (one) => called(one).toLowerCase(),
  date: (one) => one.started_at ?? "",
  length: (one) => one.duration_s ?? -1,
  events: (one) => one.micro + one.macro / 1e6,
  rejected: (one) => one.rejected,
  quality: (one) => one.quality ?? -1,
  size: (one) => one.size_bytes,
};

/** Tells "open" (detail: name) and "chosen" when the boxes change. */
export class SessionList extends EventTarget {
  constructor() {
    super();
    this.sessions = [];
    this.chosen = new Set();
    this.opened = null;
    this.sorted = { column: "date", up: false };
    this.laid = LAID_AT_ONCE;
    this.search = make("input", { type: "search", "aria-label": words("sessions.search-name"), placeholder: words("sessions.search"),
      "data-part": "search", oninput: () => this.begin() });
    this.count = make("span", { class: "soft", role: "status" });
    this.all = make("input", { type: "checkbox", "aria-label": words("sessions.choose-all"), onchange: () => this.chooseAll() });
    this.heads = Object.keys(COLUMNS).map((column) => this.head(column));
    this.rows = make("tbody");
    this.end = make("div", { class: "end", "aria-hidden": "true" });
    this.table = make("table", { "aria-label": words("sessions.list") },
      make("thead", {}, make("tr", {}, make("th", { class: "box" }, this.all), ...this.heads)), this.rows);
    this.scroller = make("div", { class: "scroller", tabindex: "-1" }, this.table, this.end);
    this.element = make("section", { class: "panel list" }, make("div", { class: "bar" }, this.search, this.count), this.scroller);
    this.more = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.layMore(), { rootMargin: "600px" });
    this.more.observe(this.end);
    this.rows.addEventListener("keydown", (event) => this.step(event));
  }

  head(column) {
    const button = make("button", { type: "button", "data-column": column, onclick: () => this.sortBy(column) }, words(`sessions.column-${column}`));
    return make("th", { scope: "col", class: column, "aria-sort": "none" }, button);
  }

  show(sessions) {
    this.sessions = sessions;
    const there = new Set(sessions.map((one) => one.name));
    for (const name of this.chosen) if (!there.has(name)) this.chosen.delete(name);
    this.lay();
  }

  mark(name) {
    this.opened = name;
    for (const row of this.rows.children) this.markRow(row);
  }

  clear() {
    this.chosen.clear();
    this.lay();
    this.dispatchEvent(new Event("chosen"));
  }

  sortBy(column) {
    const up = this.sorted.column === column ? !this.sorted.up : column === "session";
    this.sorted = { column, up };
    this.begin();
  }

  /** From the top again: another search, another order. */
  begin() {
    this.laid = LAID_AT_ONCE;
    this.scroller.scrollTop = 0;
    this.lay();
  }

  found() {
    const asked = this.search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (one) => {
      const labels = Object.keys(one.labels).map((label) => `${label} ${labelWord(label)}`);
      const text = [one.title, one.name, one.source, one.state, words(`sessions.state.${one.state}`), one.checkpoint, ...labels].join(" ").toLowerCase();
      return asked.every((word) => text.includes(word));
    };
    const key = COLUMNS[this.sorted.column];
    const sign = this.sorted.up ? 1 : -1;
    const order = (a, b) => (key(a) < key(b) ? -sign : key(a) > key(b) ? sign : a.name < b.name ? 1 : -1);
    return (asked.length ? this.sessions.filter(fits) : [...this.sessions]).sort(order);
  }

  lay() {
    const found = this.found();
    this.shown = found;
    for (const head of this.heads) {
      const mine = head.classList.contains(this.sorted.column);
      head.setAttribute("aria-sort", mine ? (this.sorted.up ? "ascending" : "descending") : "none");
    }
    const n = this.sessions.length;
    const size = bytes(this.sessions.reduce((sum, one) => sum + one.size_bytes, 0));
    this.count.textContent = found.length < n ? words("sessions.count-found", { found: found.length, n }) : words("sessions.count", { n, size });
    const rows = found.slice(0, this.laid).map((one) => this.row(one));
    const focused = this.rows.contains(this.element.getRootNode().activeElement) ? this.element.getRootNode().activeElement.dataset.key : null;
    this.rows.replaceChildren(...rows);
    if (focused) this.rows.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    if (!found.length && n) this.rows.append(make("tr", { class: "empty" }, make("td", { colspan: "8", text: words("sessions.none-found", { text: this.search.value.trim() }) })));
    this.markAll();
  }

  layMore() {
    if (!this.shown || this.laid >= this.shown.length) return;
    const next = this.shown.slice(this.laid, this.laid + LAID_AT_ONCE);
    this.laid += LAID_AT_ONCE;
    this.rows.append(...next.map((one) => this.row(one)));
  }

  row(one) {
    const box = make("input", { type: "checkbox", "data-key": `box ${one.name}`, "aria-label": words("sessions.choose", { name: called(one) }),
      onchange: () => this.choose(one.name, box.checked) });
    box.checked = this.chosen.has(one.name);
    const name = make("button", { type: "button", class: "name", "data-key": `name ${one.name}` }, make("b", { text: called(one) }),
      one.state === "complete" ? null : badge(one.state));
    const under = one.title ? make("span", { class: "soft from", text: one.source || one.name }) : null;
    const cell = (kind, ...content) => make("td", { class: kind, "data-label": words(`sessions.column-${kind}`) }, ...content);
    const row = make("tr", { "data-name": one.name }, make("td", { class: "box" }, box), make("td", { class: "session" }, name, under),
      cell("date", day(one.started_at)), cell("length", length(one.duration_s)),
      cell("events", make("b", { text: String(one.micro) }), ` / ${one.macro}`), cell("rejected", String(one.rejected)),
      cell("quality", quality(one.quality, one.quality_word)), cell("size", bytes(one.size_bytes)));
    row.addEventListener("click", (event) => event.target.closest("td.box") || this.dispatchEvent(new CustomEvent("open", { detail: one.name })));
    this.markRow(row);
    return row;
  }

  markRow(row) {
    const mine = row.dataset.name === this.opened;
    row.classList.toggle("opened", mine);
    row.querySelector("button.name")?.setAttribute("aria-current", String(mine));
  }

  choose(name, on) {
    if (on) this.chosen.add(name);
    else this.chosen.delete(name);
    this.markAll();
    this.dispatchEvent(new Event("chosen"));
  }

  chooseAll() {
    for (const one of this.shown) if (this.all.checked) this.chosen.add(one.name); else this.chosen.delete(one.name);
    for (const box of this.rows.querySelectorAll("td.box input")) box.checked = this.all.checked;
    this.dispatchEvent(new Event("chosen"));
  }

  markAll() {
    const on = this.shown.filter((one) => this.chosen.has(one.name)).length;
    this.all.checked = on > 0 && on === this.shown.length;
    this.all.indeterminate = on > 0 && on < this.shown.length;
  }

  /** Up and down from row to row. */
  step(event) {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!way || !event.target.dataset.key) return;
    const kind = event.target.dataset.key.split(" ")[0];
    let row = event.target.closest("tr");
    row = way > 0 ? row.nextElementSibling : row.previousElementSibling;
    const next = row?.querySelector(`[data-key^="${kind} "]`);
    if (next) {
      event.preventDefault();
      event.stopPropagation();
      next.focus();
    }
  }
}
