// The card of a checkpoint: what it is, what it was trained on, how well it does, and what it must not be used for.
import { badge, bytes, count, make, moment } from "./engines_parts.js";
import { labelWord } from "./terms.js";
import { told } from "./engines_told.js";
import { words } from "./words.js";

export function cardContent(entry) {
  const title = make("h3", {}, entry.card ? entry.card.model : entry.name);
  if (!entry.card) {
    return [make("div", { class: "head" }, title, badge("bad", words("engines.damaged"))), make("p", { class: "fault", role: "alert" }, told(entry.fault))];
  }
  const card = entry.card;
  return [
    make("div", { class: "head" }, title, badge("ok", words("engines.verified"))),
    make("p", { class: "quiet" }, card.paper),
    make("div", { class: "limits" }, make("b", {}, words("engines.limits")), make("p", {}, card.limits)),
    facts(entry, card),
    scores(card),
    make("details", { "data-key": "sums" }, make("summary", {}, words("engines.sums")),
      make("dl", { class: "sums" }, Object.entries(card.files).map(([file, sum]) => [make("dt", {}, file), make("dd", { class: "code" }, sum)]))),
  ];
}

function facts(entry, card) {
  const input = `${card.recipe}, ${card.input_shape.join(" × ")}, ${card.normalisation}`;
  const mirror = card.test_time_mirror ? `; ${words("engines.mirrored")}` : "";
  const rows = [
    ["engines.classes", card.classes.map((name) => make("span", { class: "chip" }, labelWord(name)))],
    ["engines.input", input + mirror],
    ["engines.parameters", card.parameters === null ? words("engines.not-stated") : count(card.parameters)],
    ["engines.size", bytes(entry.bytes)],
    ["engines.training", card.training_data],
    ["engines.protocol", card.protocol],
    ["engines.licence", entry.licence || words("engines.not-stated")],
    ["engines.made", `${moment(card.created)}, Onset ${card.onset_version}`],
  ];
  return make("dl", { class: "facts" }, rows.map(([key, value]) => [make("dt", {}, words(key)), make("dd", {}, value)]));
}

const MEASURES = ["uf1", "uar", "accuracy"];

function scores(card) {
  const entries = Object.entries(card.scores).filter(([, score]) => score && typeof score === "object" && !Array.isArray(score));
  const plain = Object.entries(card.scores).filter(([, score]) => typeof score === "number");
  if (!entries.length && !plain.length) return make("p", { class: "quiet" }, words("engines.no-scores"));
  const head = make("tr", {}, make("th", { scope: "col" }, words("engines.scored-on")), MEASURES.map((name) => make("th", { scope: "col" }, words(`engines.${name}`))));
  const rows = entries.map(([name, score]) => make("tr", {}, make("th", { scope: "row" }, name), MEASURES.map((one) => make("td", {}, figure(score[one])))));
  const confusions = entries.filter(([, score]) => Array.isArray(score.confusion));
  return make("div", {}, make("h4", {}, words("engines.scores")),
    make("div", { class: "wide" }, make("table", {}, make("thead", {}, head), make("tbody", {}, rows))),
    plain.length ? make("p", {}, plain.map(([name, value]) => `${name} ${figure(value)}`).join(" · ")) : null,
    confusions.length ? make("details", { "data-key": "confusion" }, make("summary", {}, words("engines.confusion")),
      make("div", { class: "matrices" }, confusions.map(([name, score]) => matrix(name, score.confusion, card.classes)))) : null);
}

function figure(value) {
  if (typeof value === "number") return value.toFixed(3);
  if (value && typeof value.mean === "number") return value.mean.toFixed(3) + (typeof value.sd === "number" ? ` ± ${value.sd.toFixed(3)}` : "");
  return "–";
}

function matrix(name, rows, classes) {
  const most = Math.max(1, ...rows.flat().filter((value) => typeof value === "number"));
  const cell = (value, row, column) => make("td", {
    style: `background: color-mix(in srgb, var(--color-accent) ${Math.round((45 * value) / most)}%, transparent)`,
    class: row === column ? "right" : "",
  }, count(value));
  return make("table", { class: "matrix" }, make("caption", {}, name),
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, words("engines.true-label")), classes.map((one) => make("th", { scope: "col" }, labelWord(one))))),
    make("tbody", {}, rows.map((values, row) => make("tr", {}, make("th", { scope: "row" }, labelWord(classes[row] ?? "")), values.map((value, column) => cell(value, row, column))))));
}
