// Building blocks of the engine view: elements, numbers in words, and sections that keep focus when they are drawn anew.
import { told } from "./engines_told.js";
import { language, words } from "./words.js";

/** An element with attributes, listeners (onclick …) and children; what is null or false is left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Put a section's new content in place; what had the focus has it again, what was unfolded stays so, and where it was scrolled to. */
export function redraw(section, ...content) {
  const root = section.getRootNode();
  const focused = section.contains(root.activeElement) ? root.activeElement.dataset.key : null;
  const unfolded = [...section.querySelectorAll("details[open][data-key]")].map((one) => one.dataset.key);
  const scrolled = new Map([...section.querySelectorAll("details[open][data-key] pre")].filter((one) => !atEnd(one)).map((one) => [one.parentElement.dataset.key, one.scrollTop]));
  section.replaceChildren(...content.flat(Infinity).filter(Boolean));
  const keyed = [...section.querySelectorAll("[data-key]")];
  for (const one of keyed) if (one.tagName === "DETAILS" && unfolded.includes(one.dataset.key)) one.open = true;
  for (const one of keyed) {
    if (!scrolled.has(one.dataset.key)) continue;
    const text = one.querySelector("pre");
    text.dataset.kept = "";
    text.scrollTop = scrolled.get(one.dataset.key);
  }
  if (focused) keyed.find((one) => one.dataset.key === focused)?.focus({ preventScroll: true });
}

const atEnd = (text) => text.scrollTop + text.clientHeight >= text.scrollHeight - 2;

const numbers = new Intl.NumberFormat(language);
export const count = (number) => numbers.format(number);

export function bytes(size) {
  const [number, unit] = size < 1e6 ? [size / 1e3, "kB"] : size < 1e9 ? [size / 1e6, "MB"] : [size / 1e9, "GB"];
  return `${number < 10 ? number.toFixed(1) : Math.round(number)} ${unit}`;
}

export const milliseconds = (value) => `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.round(value)} ms`;

export function moment(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date.toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
}

/** A small mark of a state: its sign and its word, never colour alone. */
export function badge(kind, text) {
  const signs = { ok: "✓", bad: "✕", missing: "–", used: "●" };
  return make("span", { class: `badge ${kind}` }, make("span", { "aria-hidden": "true" }, signs[kind] ?? ""), ` ${text}`);
}

const cancelled = new Set();

/** A job that is under way or that ended last: bar, what it is at, a way to end it, its log. */
export function jobPanel(job, { cancel, log = false, ending = "" }) {
  const running = job.state === "running" || job.state === "waiting";
  const bar = running && make("progress", { max: 1, value: job.fraction, "aria-label": job.title });
  // A build ends at its next step, which may be seconds away.
  const stop = running && make("button", {
    type: "button", class: "small", "data-key": `cancel ${job.id}`, disabled: cancelled.has(job.id), onclick: (event) => {
      cancelled.add(job.id);
      Object.assign(event.target, { disabled: true, textContent: words("engines.cancelling") });
      cancel(job.id);
    },
  }, words(cancelled.has(job.id) ? "engines.cancelling" : "engines.cancel"));
  const share = running && job.fraction !== null ? ` ${Math.round(100 * job.fraction)} %` : "";
  const said = told(job.error ?? (running ? job.note : ending)) || words(`engines.state.${job.state}`);
  return make("div", { class: `job ${job.state}`, "data-job": job.id },
    make("div", { class: "job-line" }, make("b", {}, job.title), share, stop),
    bar,
    make("div", { class: "job-note", role: job.error ? "alert" : "status" }, said),
    log && job.log.length > 0 && logPanel(job));
}

function logPanel(job) {
  const text = make("pre", { tabindex: "0", "aria-label": words("engines.log") }, job.log.join("\n"));
  // The newest line in sight, unless an earlier one was being read.
  const follow = () => { if (!("kept" in text.dataset)) text.scrollTop = text.scrollHeight; };
  requestAnimationFrame(follow);
  return make("details", { "data-key": `log ${job.id}`, ontoggle: follow }, make("summary", {}, words("engines.log-lines", { n: job.log.length })), text);
}

/** Of one kind: what is under way, else what ended last. */
export function newest(work, kinds) {
  const mine = work.filter((job) => kinds.includes(job.kind));
  const active = mine.filter((job) => job.state === "running" || job.state === "waiting");
  return active.length ? active : mine.slice(0, 1);
}
