// Two to eight sessions side by side: figures in a table, events over time, and which events of one recording met which.
import { clockTime, make } from "./live_elements.js";
import { draw, length, look, namesOf, quality, reasonInShort } from "./sessions_parts.js";
import { labelWord } from "./terms.js";
import { words } from "./words.js";

const LANE = 34;
const BAR = 16;
const MET_AT_ONCE = 200;

/** The content of the comparison panel. */
export function comparisonContent(compared, back) {
  const { sessions, pairings } = compared;
  const names = namesOf(sessions);
  return [
    make("div", { class: "heading" }, make("button", { type: "button", class: "back shown", text: `‹ ${words("sessions.back")}`, onclick: back }),
      make("h3", { tabindex: "-1", text: words("sessions.compare-title", { n: sessions.length }) })),
    make("div", { class: "wide" }, table(sessions, names)),
    timeline(sessions, pairings, names),
    ...(pairings.length ? pairings.map((one) => meetings(compared, one, names)) : [make("p", { class: "soft", text: words("sessions.not-paired") })]),
  ];
}

function table(sessions, names) {
  const most = (counts) => Object.entries(counts).filter(([, number]) => number);
  const figure = (value, digits = 1) => (value === null || value === undefined ? "–" : value.toFixed(digits));
  const rows = [
    ["fact-length", (one) => length(one.duration_s)],
    ["fact-rate", (one) => (one.frame_rate_hz ? `${one.frame_rate_hz.toFixed(1)} Hz` : "–")],
    ["fact-checkpoint", (one) => one.checkpoint ?? "–"],
    ["row-sensitivity", (one) => (one.sensitivity === null ? "–" : String(one.sensitivity))],
    ["row-micro", (one) => make("span", {}, make("b", { text: figure(one.micro_a_minute) }), make("span", { class: "soft", text: ` (${one.micro})` }))],
    ["row-macro", (one) => make("span", {}, make("b", { text: figure(one.macro_a_minute) }), make("span", { class: "soft", text: ` (${one.macro})` }))],
    ["row-rejected", (one) => make("span", {}, make("b", { text: figure(one.rejected_a_minute) }), make("span", { class: "soft", text: ` (${one.rejected})` }))],
    ["row-labels", (one) => chips(most(one.labels).map(([label, number]) => [`${labelWord(label)} ${number}`, look(label)]))],
    ["row-parts", (one) => chips(most(one.parts).map(([part, number]) => [`${words(`sessions.part.${part}`)} ${number}`, "other"]))],
    ["row-reasons", (one) => one.reasons.slice(0, 2).map(({ reason, count }) => `${reasonInShort(reason)} (${count})`).join("; ") || "–"],
    ["row-quality", (one) => quality(one.quality, one.quality_word)],
    ["row-smallest", (one) => (one.smallest_movement_px === null ? "–" : `${figure(one.smallest_movement_px, 2)} px`)],
    ["row-face", (one) => (one.with_face === null ? "–" : `${Math.round(100 * one.with_face)} %`)],
  ];
  const head = make("tr", {}, make("td"), ...sessions.map((one) => make("th", { scope: "col", text: names.get(one.name), title: one.name })));
  return make("table", { class: "compared" }, make("thead", {}, head),
    make("tbody", {}, ...rows.map(([name, value]) => make("tr", {}, make("th", { scope: "row", text: words(`sessions.${name}`) }), ...sessions.map((one) => make("td", {}, value(one)))))));
}

const chips = (texts) => make("span", { class: "chips" }, ...(texts.length ? texts.map(([text, kind]) => make("span", { class: `chip ${kind}`, text })) : ["–"]));

/** A lane a session; lines join the events of the first that met one of another. */
function timeline(sessions, pairings, names) {
  const end = Math.max(0.1, ...sessions.map((one) => one.duration_s), ...sessions.flatMap((one) => one.events.map((event) => event.offset_s)));
  const place = (time) => (1000 * time) / end;
  const lanes = new Map(sessions.map((one, row) => [one.name, row * LANE + 8]));
  const title = (text) => { const element = draw("title"); element.textContent = text; return element; };
  const picture = draw("svg", { viewBox: `0 0 1000 ${sessions.length * LANE}`, preserveAspectRatio: "none", role: "img", class: "lanes",
    style: `height: ${sessions.length * LANE}px`, "aria-label": words("sessions.compared-timeline") });
  const eventOf = (session, number) => session.events.find((event) => event.event_id === number);
  for (const pairing of pairings) {
    const other = sessions.find((one) => one.name === pairing.with);
    for (const met of pairing.met) {
      const [first, second] = [eventOf(sessions[0], met.first), eventOf(other, met.other)];
      picture.append(draw("line", { class: "met", x1: place(first.apex_s), y1: lanes.get(sessions[0].name) + BAR, x2: place(second.apex_s), y2: lanes.get(other.name) }));
    }
  }
  for (const session of sessions) {
    const top = lanes.get(session.name);
    picture.append(draw("line", { class: "ground", x1: 0, x2: place(session.duration_s), y1: top + BAR / 2, y2: top + BAR / 2 }));
    picture.append(...session.events.map((one) => draw("rect", { class: `event ${look(one.label)} ${one.kind}`, x: place(one.onset_s), y: top, width: Math.max(3, place(one.offset_s - one.onset_s)), height: BAR },
      title(`${names.get(session.name)}, ${clockTime(one.onset_s)}: ${labelWord(one.label)}${one.corrected_label ? ` → ${labelWord(one.corrected_label)}` : ""}`))));
  }
  const column = make("div", { class: "lane-names", style: `--lane:${LANE}px` }, ...sessions.map((one) => make("span", { text: names.get(one.name), title: one.name })));
  return make("figure", { class: "laned" }, column, picture, make("figcaption", {}, make("span", { text: "0:00" }), make("span", { text: clockTime(end, 0) })));
}

function meetings(compared, pairing, names) {
  const [first] = compared.sessions;
  const other = compared.sessions.find((one) => one.name === pairing.with);
  const named = { first: names.get(first.name), other: names.get(other.name) };
  const signed = (value) => `${value > 0 ? "+" : ""}${Math.round(value)} ms`;
  const rows = pairing.met.slice(0, MET_AT_ONCE).map((met) => make("tr", {}, make("td", { text: clockTime(met.onset_s) }), make("td", { text: `${met.first} – ${met.other}` }),
    make("td", { text: `${Math.round(100 * met.iou)} %` }), make("td", { text: signed(met.apex_difference_ms) }),
    make("td", { class: met.same_label ? "" : "differs", text: met.labels.map((label) => labelWord(label)).filter((label, place, all) => !place || label !== all[0]).join(" → ") })));
  const heads = ["time", "events", "overlap", "apex", "labels"].map((name) => make("th", { scope: "col", text: words(`sessions.met-${name}`) }));
  return make("section", { class: "met", "data-with": pairing.with }, make("h4", { text: words("sessions.met-title", named) }),
    make("p", { class: "soft", text: words("sessions.met-lead", { met: pairing.met.length, iou: `${100 * compared.minimum_iou} %`, only_first: pairing.only_first.length,
      only_other: pairing.only_other.length, agreement: pairing.agreement === null ? "–" : pairing.agreement.toFixed(2) }) }),
    rows.length ? make("div", { class: "wide" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows))) : "");
}
