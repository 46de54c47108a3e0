// Exports: which forms, then a job with its progress, then the archive to save. Jobs outlive the page: they are asked for again.
import { make } from "./live_elements.js";
import { ask, bytes, openDialog } from "./sessions_parts.js";
import { known, words } from "./words.js";

const BUSY_MS = 400;
const KEPT = "onset-export-formats";
const formIn = (note) => {
  const form = note.split(": ").at(-1); // "NAME: video"
  return known(`sessions.format.${form}`) ? words(`sessions.format.${form}`) : note;
};
const UNDER_WAY = new Set(["waiting", "running"]);

/** Ask for the forms; start(formats) begins the export. */
export function askForFormats(root, what, formats, start) {
  const kept = JSON.parse(localStorage.getItem(KEPT) ?? "null") ?? Object.keys(formats);
  const boxes = Object.keys(formats).map((name) => {
    const box = make("input", { type: "checkbox", value: name, "data-format": name, onchange: () => { go.disabled = !boxes.some((one) => one.box.checked); } });
    box.checked = kept.includes(name);
    const label = make("label", { class: "choice" }, box, make("span", {}, make("b", { text: words(`sessions.format.${name}`) }), make("span", { class: "soft", text: words(`sessions.format-why.${name}`) })));
    return { box, label };
  });
  const go = make("button", { type: "submit", class: "primary", "data-part": "export-start", text: words("sessions.export-start") });
  const form = make("form", { method: "dialog" }, make("fieldset", { "aria-label": words("sessions.export") }, ...boxes.map((one) => one.label)),
    make("div", { class: "actions end-row" }, make("button", { type: "button", text: words("sessions.cancel"), onclick: () => dialog.close() }), go));
  form.addEventListener("submit", () => {
    const chosen = boxes.filter((one) => one.box.checked).map((one) => one.box.value);
    localStorage.setItem(KEPT, JSON.stringify(chosen));
    start(chosen);
  });
  const dialog = openDialog(root, "export", words("sessions.export-title", { what }), make("p", { class: "soft", text: words("sessions.export-lead") }), form);
  go.disabled = !boxes.some((one) => one.box.checked);
}

/** The exports of this dashboard, under way and done; watched while there are any. */
export class Exports {
  constructor(say) {
    this.say = say;
    this.hidden = new Set();
    this.element = make("div", { class: "jobs" });
    this.panels = new Map();
    this.turn = 0; // an answer to an earlier question is not shown
  }

  watch() {
    clearTimeout(this.timer);
    this.refresh();
  }

  stop() {
    this.turn += 1;
    clearTimeout(this.timer);
  }

  async refresh() {
    const turn = (this.turn += 1);
    clearTimeout(this.timer);
    let jobs = [];
    try {
      jobs = (await ask("/onset/jobs")).filter((job) => job.kind === "export" && !this.hidden.has(job.id));
    } catch {
      if (turn !== this.turn) return;
      this.timer = setTimeout(() => this.refresh(), 5 * BUSY_MS);
      return;
    }
    if (turn !== this.turn) return;
    const panels = new Map(jobs.map((job) => [job.id, this.panel(job)]));
    if ([...panels.values()].some((panel, place) => this.element.children[place] !== panel) || panels.size !== this.element.children.length) {
      this.element.replaceChildren(...panels.values());
    }
    this.panels = panels;
    if (jobs.some((job) => UNDER_WAY.has(job.state))) this.timer = setTimeout(() => this.refresh(), BUSY_MS);
  }

  /** A job's panel; the same element as long as its state is the same, so that nothing loses the focus. */
  panel(job) {
    const before = this.panels.get(job.id);
    const panel = before?.dataset.state === job.state ? before : this.laid(job);
    if (UNDER_WAY.has(job.state)) {
      const bar = panel.querySelector("progress");
      if (job.fraction === null) bar.removeAttribute("value");
      else bar.value = job.fraction;
      panel.querySelector(".soft").textContent = job.state === "waiting" ? words("sessions.export-waiting") : `${Math.round(100 * (job.fraction ?? 0))} % ${formIn(job.note)}`;
    }
    return panel;
  }

  laid(job) {
    const panel = make("div", { class: `job ${job.state}`, "data-job": job.id, "data-state": job.state });
    const close = make("button", { type: "button", class: "small", "aria-label": words("sessions.close"), text: "✕", onclick: () => {
      this.hidden.add(job.id);
      panel.remove();
    } });
    if (UNDER_WAY.has(job.state)) {
      const stop = make("button", { type: "button", class: "small", text: words("sessions.cancel"), onclick: () => {
        stop.disabled = true;
        ask(`/onset/jobs/${job.id}/cancel`, { method: "POST" }).catch((fault) => this.say(fault.message, true));
      } });
      panel.append(make("b", { text: words("sessions.export-running", { title: job.title }) }), make("span", { class: "soft", role: "status" }),
        make("progress", { max: "1", "aria-label": words("sessions.export-running", { title: job.title }) }), stop);
    } else if (job.state === "done") {
      const { name, address, notes } = job.result;
      panel.append(make("b", { role: "status", text: words("sessions.export-done", { name, size: bytes(job.result.bytes) }) }),
        make("a", { class: "button primary", href: address, download: name, "data-part": "save", "aria-label": words("sessions.save-file", { name }), text: words("sessions.save") }), close,
        notes.length ? make("ul", { class: "soft" }, ...notes.map((note) => make("li", { text: note }))) : "");
    } else {
      const text = job.state === "failed" ? words("sessions.export-failed", { error: job.error }) : words("sessions.export-cancelled");
      panel.append(make("span", { role: "alert", class: job.state === "failed" ? "fault" : "", text }), close);
    }
    return panel;
  }
}
