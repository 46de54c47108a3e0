// What one session holds: title, facts, the whole course at a glance, counts, labels, conditions, and what can be done with it.
import { clockTime, make } from "./live_elements.js";
import { addressOf, ask, badge, bytes, day, draw, length, look, quality, rate, reasonInShort } from "./sessions_parts.js";
import { adviceWords, labelWord, qualityWord, reasonWords } from "./terms.js";
import { words } from "./words.js";

const POINTS = 1200;
const REASONS = 4;

/** The content of the details panel. actions: replay, export, remove, entitled. */
export function sessionDetails(session, actions) {
  const known = session.state !== "damaged";
  return [
    heading(session, actions),
    make("p", { class: `why ${session.state}` }, badge(session.state), ` ${session.fault ?? words(`sessions.why.${session.state}`)}`),
    make("div", { class: "actions" }, ...(known ? [
      make("button", { type: "button", class: "primary", "data-part": "replay", text: words("sessions.open"), onclick: () => actions.replay(session.name) }),
      make("a", { class: "button", "data-part": "report", href: addressOf(session.name, "/files/report.html"), target: "_blank", rel: "noopener", text: words("sessions.report") }),
      make("button", { type: "button", "data-part": "export", text: words("sessions.export"), onclick: () => actions.export([session.name]) }),
    ] : []), make("button", { type: "button", class: "danger", "data-part": "delete", text: words("sessions.delete"), onclick: () => actions.remove([session.name]) })),
    known && course(session),
    known && tally(session),
    known && labels(session),
    known && conditions(session),
    known && reasons(session),
    facts(session),
  ].filter(Boolean);
}

function heading(session, actions) {
  const input = make("input", { type: "text", class: "title", maxlength: "200", value: session.title, placeholder: session.source || words("sessions.title-hint"),
    "aria-label": words("sessions.title"), "data-part": "title" });
  const save = async () => {
    if (input.value.trim() === session.title) return;
    try {
      session.title = (await ask(addressOf(session.name, "/title"), { method: "POST", body: { title: input.value } })).title;
      input.value = session.title;
      actions.entitled();
    } catch (fault) {
      actions.say(fault.message, true);
    }
  };
  input.addEventListener("change", save);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") input.blur();
    if (event.key === "Escape") input.value = session.title;
    event.stopPropagation(); // the arrows and the space bar steer the replay elsewhere
  });
  return make("div", { class: "heading" }, make("button", { type: "button", class: "back", text: `‹ ${words("sessions.back")}`, onclick: actions.back }), input);
}

function facts(session) {
  const hertz = session.frame_rate_hz;
  const rows = [
    ["source", session.source || "–"],
    ["recorded", day(session.started_at)],
    ["length", length(session.duration_s)],
    ["rate", hertz ? `${hertz.toFixed(1)} Hz` : "–"],
    ["checkpoint", session.checkpoint ?? "–"],
    ["folder", session.name],
    ["size", bytes(session.size_bytes)],
  ];
  return make("dl", { class: "facts" }, ...rows.flatMap(([name, value]) => [make("dt", { text: words(`sessions.fact-${name}`) }), make("dd", { text: value })]));
}

/** The whole session at a glance; the curve comes when it is read. */
function course(session) {
  const moves = [...session.events, ...session.rejected];
  const end = Math.max(session.duration_s ?? 0, ...moves.map((one) => one.offset_s), 0.1);
  const place = (time) => (1000 * time) / end;
  const wide = (one) => Math.max(3, place(one.offset_s - one.onset_s));
  const title = (text) => { const element = draw("title"); element.textContent = text; return element; };
  const picture = draw("svg", { viewBox: "0 0 1000 120", preserveAspectRatio: "none", role: "img", class: "course",
    "aria-label": words("sessions.timeline", { micro: session.micro, macro: session.macro }) });
  const curve = draw("g");
  picture.append(
    ...session.events.map((one) => draw("rect", { class: `event ${look(one.label)} ${one.kind}`, x: place(one.onset_s), width: wide(one), y: 0, height: 100 },
      title(`${clockTime(one.onset_s)} ${labelWord(one.label)}`))),
    curve,
    ...session.rejected.map((one) => draw("rect", { class: "ghost", x: place(one.onset_s), width: wide(one), y: 108, height: 10 }, title(`${clockTime(one.onset_s)} ${reasonWords(one.reason)}`))));
  const note = make("span", { class: "soft" });
  ask(addressOf(session.name, `/signals?points=${POINTS}`)).then((signals) => drawCurve(curve, signals, place, session)).catch(() => { note.textContent = words("sessions.no-signals"); });
  return make("figure", {}, picture, make("figcaption", {}, make("span", { text: "0:00" }), note, make("span", { text: clockTime(end, 0) })));
}

function drawCurve(group, signals, place, session) {
  const thresholds = signals.threshold.filter((value) => value !== null).sort((a, b) => a - b);
  const usual = thresholds[thresholds.length >> 1] ?? 0.8;
  const micro = session.events.filter((one) => one.kind === "micro").map((one) => one.strength);
  const top = Math.max(2.5 * usual, 1.15 * Math.min(Math.max(0, ...micro), 20 * usual));
  const line = (values) => {
    let path = "";
    let last = -Infinity;
    for (const [row, value] of values.entries()) {
      if (value === null) continue;
      const time = signals.time_s[row];
      const gap = time - last > Math.max(0.25, (3 * (session.duration_s ?? 0)) / POINTS);
      path += `${gap ? "M" : "L"}${place(time).toFixed(1)} ${(100 - 100 * Math.min(1, value / top)).toFixed(1)}`;
      last = time;
    }
    return path;
  };
  group.append(draw("path", { class: "limit", d: line(signals.threshold) }), draw("path", { class: "curve", d: line(signals.strength) }));
}

function tally(session) {
  const corrected = session.remarks.filter((one) => one.stands && one.event_id !== null && one.label).length;
  const tile = (kind, number, under) => make("div", {}, make("dt", { text: words(`sessions.${kind}`) }), make("dd", {}, make("b", { text: String(number) }), make("span", { class: "soft", text: under })));
  const minute = (number) => words("sessions.a-minute", { n: rate(number, session.duration_s) });
  return make("dl", { class: "tiles" }, tile("micro", session.micro, minute(session.micro)), tile("macro", session.macro, minute(session.macro)),
    tile("rejected", session.rejected.length, minute(session.rejected.length)),
    tile("remarks", session.remarks.filter((one) => one.stands).length, corrected ? words("sessions.corrected", { n: corrected }) : ""));
}

function labels(session) {
  if (!session.events.length) return make("p", { class: "soft", text: words("sessions.no-events") });
  const counts = new Map();
  for (const { label } of session.events) counts.set(label, (counts.get(label) ?? 0) + 1);
  const bars = [...counts].sort((a, b) => b[1] - a[1]).map(([label, number]) => make("div", {}, make("dt", { text: labelWord(label) }),
    make("dd", {}, make("i", { class: look(label), style: `--share:${(100 * number) / session.events.length}%` }), String(number))));
  return make("section", {}, make("h4", { text: words("sessions.labels") }), make("dl", { class: "bars" }, ...bars));
}

function conditions(session) {
  const record = session.record.conditions;
  if (!record) return null;
  const px = record.smallest_movement_px;
  return make("section", {}, make("h4", { text: words("sessions.conditions") }),
    make("p", {}, quality(record.quality, record.word), ` ${qualityWord(record.word)}`, px ? `; ${words("sessions.smallest", { px: px.toFixed(1) })}` : ""),
    record.advice?.length ? make("ul", {}, ...record.advice.map((one) => make("li", { text: adviceWords(one) }))) : null);
}

function reasons(session) {
  if (!session.rejected.length) return null;
  const counts = new Map();
  for (const { reason } of session.rejected) {
    const short = reasonInShort(reason);
    counts.set(short, (counts.get(short) ?? 0) + 1);
  }
  const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, REASONS);
  return make("section", {}, make("h4", { text: words("sessions.reasons") }),
    make("ul", { class: "reasons" }, ...most.map(([reason, number]) => make("li", {}, make("b", { text: String(number) }), ` ${reason}`))));
}

