// Where the parts of the live view lie, and the switches that belong to them.
import { clockTime, make } from "./live_elements.js";
import { gateWord } from "./terms.js";
import { words } from "./words.js";

const SHOWN = ["outline", "regions", "movement", "gates", "mirror"];
const MAGNIFIED = [1, 5, 10, 20, 40];
const WINDOWS_S = [10, 20, 30, 60];
const KEPT = "onset-live-look";

/** Build the view into a shadow root; gives what the element calls to change it. */
export function build(root, parts) {
  const stage = buildStage(parts);
  const curves = buildCurves(parts.curves);
  const watch = make("div", { class: "watch" }, stage.element, switches(parts.preview), curves.element, parts.figures.element);
  const side = make("aside", { class: "side" }, parts.events.element, parts.conditions.element);
  const sheet = make("link", { rel: "stylesheet", href: "/onset/assets/live.css" });
  const view = make("div", { class: "live" }, watch, side, parts.notices.element);
  // Nothing is shown before it has its looks.
  view.style.visibility = "hidden";
  sheet.addEventListener("load", () => {
    view.style.visibility = "";
    root.host.takeColours?.();
  });
  root.append(sheet, view);
  return { state: stage.state, legend: curves.legend, empty: curves.empty, pausing: curves.pausing };
}

function buildStage(parts) {
  const chip = make("span", { class: "chip state" });
  const recording = make("span", { class: "chip recording", text: words("live.chip.recording"), hidden: true });
  const elapsed = make("span", { class: "chip time" });
  const source = make("span", { class: "chip source" });
  const hint = make("p", { class: "hint", role: "status", hidden: true });
  const element = make(
    "div",
    { class: "stage" },
    parts.preview.canvas,
    make("div", { class: "chips" }, chip, recording, elapsed, source),
    hint,
    parts.screen.element,
  );
  const state = (told, header, hinted) => {
    const running = told.state === "running";
    element.dataset.state = told.state;
    chip.textContent = running ? words("live.chip.running") : "";
    chip.hidden = !running;
    recording.hidden = !told.recording;
    const time = header?.samples?.time_s?.at(-1) ?? header?.time_s;
    if (time !== undefined) elapsed.textContent = clockTime(time, 0);
    elapsed.hidden = !running || time === undefined;
    source.textContent = sourceName(told.source);
    source.hidden = !running || !told.source;
    hint.hidden = !hinted;
    if (hinted) hint.textContent = hinted;
  };
  return { element, state };
}

function sourceName(source) {
  if (source === "browser") return words("live.source-browser");
  const camera = String(source ?? "").match(/^camera (\d+)$/);
  return camera ? words("live.source-camera", { n: camera[1] }) : String(source ?? "");
}

function switches(preview) {
  const kept = read();
  preview.change(kept);
  const change = (changes) => {
    preview.change(changes);
    localStorage.setItem(KEPT, JSON.stringify({ ...read(), ...changes }));
  };
  const buttons = SHOWN.map((name) => {
    const button = make("button", { type: "button", class: "switch", "aria-pressed": String(preview.look[name]), "data-show": name, text: words(`live.show.${name}`) });
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      change({ [name]: on });
    });
    return button;
  });
  const magnified = make("select", { "aria-label": words("live.magnify"), title: words("live.magnify") });
  for (const times of MAGNIFIED) magnified.append(make("option", { value: times, text: words("live.magnified", { n: times }) }));
  magnified.value = preview.look.magnified;
  magnified.addEventListener("change", () => change({ magnified: Number(magnified.value) }));
  return make("div", { class: "switches", role: "group", "aria-label": words("live.preview") }, ...buttons, magnified);
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  } catch {
    return {};
  }
}

function buildCurves(curves) {
  const pause = make("button", { type: "button", class: "switch", "aria-pressed": "false", "data-do": "pause", text: words("live.pause") });
  const regions = make("button", { type: "button", class: "switch", "aria-pressed": "false", "data-do": "regions", text: words("live.all-regions") });
  const span = make("select", { "aria-label": words("live.window-label") });
  for (const seconds of WINDOWS_S) span.append(make("option", { value: seconds, text: words("live.window", { n: seconds }) }));
  span.value = curves.window_s;
  const legend = make("div", { class: "legend" });
  const note = make("p", { class: "note", text: words("live.curves-empty") });
  const pausing = (on) => {
    curves.pause(on);
    pause.setAttribute("aria-pressed", String(on));
    pause.textContent = words(on ? "live.resume" : "live.pause");
    pause.title = on ? words("live.paused") : "";
  };
  pause.addEventListener("click", () => pausing(!curves.paused));
  regions.addEventListener("click", () => {
    curves.withRegions = !curves.withRegions;
    curves.last = 0;
    regions.setAttribute("aria-pressed", String(curves.withRegions));
  });
  span.addEventListener("change", () => {
    curves.window_s = Number(span.value);
    curves.last = 0;
  });
  const element = make(
    "section",
    { class: "movement", "aria-label": words("live.curves") },
    make("div", { class: "head" }, make("h3", { text: words("live.curves") }), fixedLegend(), make("span", { class: "grow" }), span, regions, pause),
    make("div", { class: "plot" }, curves.canvas, curves.tip, note),
    legend,
  );
  return { element, pausing, empty: (on) => (note.hidden = !on), legend: (gates) => fillLegend(legend, gates) };
}

function fixedLegend() {
  const item = (kind) => make("span", { class: `key ${kind}` }, make("i", {}), make("span", { text: words(`live.${kind}`) }));
  return make("div", { class: "keys" }, item("strength"), item("threshold"));
}

function fillLegend(legend, gates) {
  const key = gates.map(({ name }) => name).join();
  if (legend.dataset.key === key) return;
  legend.dataset.key = key;
  legend.replaceChildren(
    ...gates.map(({ name, colour }) => {
      const dot = make("i", {});
      dot.style.background = colour;
      return make("span", { class: "key" }, dot, make("span", { text: gateWord(name) }));
    }),
  );
}
