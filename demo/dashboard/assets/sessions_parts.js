// Building blocks of the session view: figures and dates in words, badges, requests whose faults are one line.
import { make } from "./live_elements.js";
import { reasonWords } from "./terms.js";
import { words } from "./words.js";

const SIGNS = { complete: "✓", stopped: "■", failed: "✕", interrupted: "!", recording: "●", damaged: "✕" };

export function bytes(size) {
  const [number, unit] = size < 1e6 ? [size / 1e3, "kB"] : size < 1e9 ? [size / 1e6, "MB"] : [size / 1e9, "GB"];
  return `${number < 10 ? number.toFixed(1) : Math.round(number)} ${unit}`;
}

export function day(text) {
  const date = new Date(text ?? "");
  return Number.isNaN(date.getTime()) ? "–" : date.toLocaleString(navigator.language, { dateStyle: "medium", timeStyle: "short" });
}

/** 52 s, 10 min 3 s, 1 h 2 min. */
export function length(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return [hours && `${hours} h`, minutes && `${minutes} min`, !hours && rest && `${rest} s`].filter(Boolean).join(" ");
}

export const rate = (number, seconds) => (seconds > 0 ? ((60 * number) / seconds).toFixed(1) : "–");

/** What a person calls the session: its title, else where it comes from. */
export const called = (session) => session.title || session.source || session.name;

export function badge(state) {
  return make("span", { class: `badge ${state}` }, make("span", { "aria-hidden": "true", text: SIGNS[state] ?? "?" }), ` ${words(`sessions.state.${state}`)}`);
}

/** Quality as a figure with a bar; never colour alone. */
export function quality(figure, word) {
  if (figure === null || figure === undefined) return make("span", { class: "soft", text: "–" });
  return make("span", { class: `quality ${word ?? ""}` }, make("i", { style: `--share:${figure}%`, "aria-hidden": "true" }), String(figure));
}

/** A reason without what varies from one movement to the next; of several the first. */
export const reasonInShort = (reason) => reasonWords(reason.split("; ")[0]).replace(/ from [\d.]+ s to [\d.]+ s|（[^）]*）$/g, "").replace(/\d+(\.\d+)?/g, "…");

/** Sessions by what they are called, with the day where that is not enough to tell them apart. */
export function namesOf(sessions) {
  const plain = sessions.map(called);
  return new Map(sessions.map((one, place) => [one.name, plain.filter((name) => name === plain[place]).length > 1 ? `${plain[place]}, ${day(one.started_at)}` : plain[place]]));
}

export const look = (label) => (["negative", "positive", "surprise"].includes(label) ? label : "other");

/** Ask the server; what it refuses becomes an Error with its one line. */
export async function ask(address, { method = "GET", body = null, signal = undefined } = {}) {
  let answer;
  try {
    const headers = body === null ? {} : { "content-type": "application/json" };
    answer = await fetch(address, { method, signal, headers, body: body === null ? undefined : JSON.stringify(body) });
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new Error(words("sessions.unreachable"), { cause: fault });
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(content.error ?? `${answer.status} ${answer.statusText}`);
  return content;
}

/** The same, unless the page has just this already: then the status is 304. */
export async function askIfNew(address, tag) {
  let answer;
  try {
    answer = await fetch(address, { headers: tag ? { "if-none-match": tag } : {} });
  } catch (fault) {
    throw new Error(words("sessions.unreachable"), { cause: fault });
  }
  const content = answer.status === 304 ? null : await answer.json().catch(() => ({}));
  if (answer.status !== 304 && !answer.ok) throw new Error(content.error ?? `${answer.status} ${answer.statusText}`);
  return { status: answer.status, tag: answer.headers.get("etag"), content };
}

export const addressOf = (name, rest = "") => `/onset/sessions/${encodeURIComponent(name)}${rest}`;

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element. */
export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) element.setAttribute(name, value);
  element.append(...children.filter(Boolean));
  return element;
}

/** A dialog of the view: opened at once, gone when it is closed; Escape closes it, and what had the focus has it again. */
export function openDialog(root, name, title, ...content) {
  const heading = make("h3", { id: `${name}-title`, text: title });
  const dialog = make("dialog", { class: name, "aria-labelledby": `${name}-title`, "data-part": name }, heading, ...content);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  root.append(dialog);
  dialog.showModal();
  return dialog;
}
