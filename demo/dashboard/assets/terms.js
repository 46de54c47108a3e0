// The codes and sentences of the pipeline in the browser's language: regions, gates, labels, reasons, advice, movements.
import { known, language, words } from "./words.js";

const texts = await (await fetch("/onset/words.json")).json();

/** The word of a code, the code itself where none is known: a checkpoint may have classes of its own. */
const term = (kind, code) => (known(`terms.${kind}.${code}`) ? words(`terms.${kind}.${code}`) : String(code));

export const regionWord = (name) => term("region", name);
export const gateWord = (name) => term("gate", name);
export const labelWord = (name) => (name ? term("label", name) : words("terms.label-none"));
export const unitWord = (unit, name) => (known(`terms.unit.${unit}`) ? words(`terms.unit.${unit}`) : name);
export const kindWord = (kind) => term("kind", kind);
export const kindInShort = (kind) => term("kind-short", kind);
export const aspectWord = (name) => term("aspect", name);
export const qualityWord = (word) => term("quality", word);

/** Templates of a kind of sentence: the English is turned into a pattern, what it catches fills the other language. */
const templates = new Map();
function templatesOf(kind) {
  if (!templates.has(kind)) {
    const prefix = `terms.${kind}.`;
    const keys = Object.keys(texts).filter((key) => key.startsWith(prefix));
    templates.set(kind, keys.map((key) => ({ key, ...pattern(texts[key].en) })));
  }
  return templates.get(kind);
}

function pattern(english) {
  const names = [...english.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
  const plain = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const parts = english.split(/\{\w+\}/).map(plain);
  return { names, expression: new RegExp(`^${parts.join("(.+?)")}$`, "s") };
}

function translated(kind, sentence) {
  for (const { key, names, expression } of templatesOf(kind)) {
    const found = sentence.match(expression);
    if (!found) continue;
    const values = Object.fromEntries(names.map((name, place) => [name, found[place + 1]]));
    if (values.region) values.region = regionWord(values.region);
    return words(key, values);
  }
  return null;
}

/** A sentence of the pipeline in the browser's language; unchanged where it is not known. */
function sentenceWords(kind, sentence) {
  if (language === "en" || !sentence) return sentence ?? "";
  const whole = translated(kind, sentence);
  if (whole) return whole;
  const parts = sentence.split("; ");
  return parts.length > 1 ? parts.map((part) => translated(kind, part) ?? part).join("；") : sentence;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
export const reasonWords = (reason) => capital(sentenceWords("reason", reason));
export const adviceWords = (advice) => sentenceWords("advice", advice);
export const noticeWords = (notice) => capital(sentenceWords("notice", notice));

export function listed(items) {
  if (items.length < 2) return items.join("");
  return items.slice(0, -1).join(words("terms.list.comma")) + words("terms.list.and") + items.at(-1);
}

const STILL_PX = 0.15; // as realtime/movement_words.py: movement along one axis under this is not worth a word
const ALIKE = 0.4;
const SURE = 0.9;
const MIRROR = { left: "right", right: "left" };

function mirrored(region) {
  const [side, ...rest] = region.split(" ");
  return side in MIRROR ? `${MIRROR[side]} ${rest.join(" ")}` : "";
}

/** Where a region went, as seen on the subject's face: "up and out". */
export function wayWords(region, right, down) {
  const least = Math.max(STILL_PX, 0.4 * Math.max(Math.abs(right), Math.abs(down)));
  const ways = [];
  if (Math.abs(down) >= least) ways.push(down > 0 ? "down" : "up");
  if (Math.abs(right) >= least) {
    // The subject's left is the image's right.
    const outward = { left: 1, right: -1 }[region.split(" ")[0]];
    if (outward === undefined) ways.push(right > 0 ? "to the subject's left" : "to the subject's right");
    else ways.push(right * outward > 0 ? "out" : "in");
  }
  return ways.map((way) => words(`terms.way.${way}`)).join(words("terms.way.and"));
}

/** Movements in words, both sides that do alike as one: [{name, way, right, down, length}]. */
export function saidMovements(movements = []) {
  const left = new Map(movements.map((one) => [one.region, one]));
  const said = [];
  while (left.size) {
    const one = left.values().next().value;
    left.delete(one.region);
    const other = left.get(mirrored(one.region));
    const mean = other && meanOf(one, other);
    if (mean) left.delete(other.region);
    const { region, right_px: right, down_px: down } = mean || one;
    const name = regionWord(mean ? `both ${region.split(" ").slice(1).join(" ")}s` : region);
    said.push({ name, way: wayWords(region, right, down), right, down, length: Math.hypot(right, down), both: !!mean });
  }
  return said;
}

function meanOf(one, other) {
  const mean = { region: one.region, right_px: (one.right_px - other.right_px) / 2, down_px: (one.down_px + other.down_px) / 2 };
  const departure = Math.hypot(one.right_px - mean.right_px, one.down_px - mean.down_px);
  return departure <= ALIKE * Math.hypot(mean.right_px, mean.down_px) ? mean : null;
}

/** Action units in few words: "AU12, one-sided", "AU1 + AU2, perhaps AU4". */
export function unitsInShort(units = []) {
  if (!units.length) return words("terms.unit-list.none");
  const sides = new Set(units.map((unit) => unit.side));
  const oneSided = sides.size === 1 && !sides.has("both");
  const name = (unit) => {
    const side = oneSided || unit.side === "both" ? "" : ` (${words(`terms.unit-side.${unit.side}`)})`;
    return `AU${unit.unit}${side}`;
  };
  const joined = (some) => some.map(name).join(" + ");
  const sure = joined(units.filter((unit) => unit.score >= SURE));
  const doubtful = joined(units.filter((unit) => unit.score < SURE));
  const said = [sure, doubtful && words("terms.unit-list.perhaps", { units: doubtful })];
  if (oneSided) said.push(words("terms.unit-list.one-sided"));
  return said.filter(Boolean).join(", ");
}

/** "left lip corner up and out" */
export const movedWords = ({ name, way }) => (way ? words("terms.moved", { name, way }) : name);

/** One line on what moved, at most three movements named. */
export function movementLine(event) {
  const said = saidMovements(event.movements);
  if (!said.length) return listed((event.regions ?? []).slice(0, 4).map(regionWord));
  const named = said.slice(0, 3).map(movedWords).join(words("terms.list.comma"));
  return capital(named) + (said.length > 3 ? ` +${said.length - 3}` : "");
}
