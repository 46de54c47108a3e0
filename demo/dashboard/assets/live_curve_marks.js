// Marks beside the curves: times, events with onset, apex and offset, movements that were not reported, gates.
import { clockTime } from "./live_elements.js";
import { kindInShort, labelWord } from "./terms.js";

const GATE_COLOURS = {
  blink: "#60a5fa",
  "blink-left": "#93c5fd",
  "blink-right": "#3b82f6",
  saccade: "#22d3ee",
  "head-turn": "#f59e0b",
  speech: "#a78bfa",
  light: "#facc15",
  occluded: "#f87171",
  restart: "#94a3b8",
  "face-lost": "#94a3b8",
  "no-face": "#94a3b8",
};
const OUTSIDE = "#fb7185"; // parts of the face beyond the picture

export const gateColour = (name) => GATE_COLOURS[name] ?? OUTSIDE;

/** Ticks of the time axis, about one a hundred pixels. */
export function drawTimes(context, view, window_s) {
  const wide = (view.right - view.left) / view.unit;
  const step = [1, 2, 5, 10, 15, 20, 30].find((one) => (window_s / one) * 84 <= wide) ?? 30;
  context.fillStyle = view.colours.soft;
  context.strokeStyle = view.colours.grid;
  context.font = `${11 * view.unit}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (let time = Math.ceil(Math.max(0, view.from) / step) * step; time <= view.to; time += step) {
    const x = Math.round(view.x(time)) + 0.5;
    context.beginPath();
    context.moveTo(x, view.top);
    context.lineTo(x, view.bottom + 14 * view.unit);
    context.stroke();
    const inside = Math.min(Math.max(x, view.left + 14 * view.unit), view.right - 14 * view.unit);
    context.fillText(clockTime(time, 0), inside, view.bottom + 28 * view.unit);
  }
}

/** Spans of events from onset to offset, the apex marked, the label above. */
export function drawEvents(context, view, events) {
  context.textBaseline = "alphabetic";
  let free = -Infinity; // labels do not overlap: the later one stays away
  for (const event of [...events].sort((a, b) => a.onset_s - b.onset_s)) {
    if (event.offset_s < view.from || event.onset_s > view.to) continue;
    const [onset, apex, offset] = [event.onset_s, event.apex_s, event.offset_s].map(view.x);
    const micro = event.kind === "micro";
    context.fillStyle = micro ? view.colours.microFill : view.colours.macroFill;
    context.fillRect(onset, view.top, Math.max(offset - onset, 2 * view.unit), view.bottom - view.top);
    context.strokeStyle = micro ? view.colours.micro : view.colours.macro;
    ticks(context, view, [onset, offset], 1);
    ticks(context, view, [apex], 2);
    context.font = `600 ${11 * view.unit}px system-ui, sans-serif`;
    context.fillStyle = micro ? view.colours.micro : view.colours.macro;
    const text = `${kindInShort(event.kind)} · ${labelWord(event.label)}`;
    const wide = context.measureText(text).width;
    const left = Math.max(onset, view.left + 2 * view.unit);
    if (left > free && left + wide < view.right) {
      context.textAlign = "left";
      context.fillText(text, left, view.top - 7 * view.unit);
      free = left + wide + 6 * view.unit;
    }
  }
}

function ticks(context, view, places, width) {
  context.lineWidth = width * view.unit;
  context.beginPath();
  for (const x of places) {
    context.moveTo(x, view.top);
    context.lineTo(x, view.bottom);
  }
  context.stroke();
}

/** Movements that were not reported, as ghosts with a dotted edge. */
export function drawRejected(context, view, rejected) {
  context.strokeStyle = view.colours.soft;
  context.lineWidth = view.unit;
  context.setLineDash([2 * view.unit, 3 * view.unit]);
  for (const one of rejected) {
    if (one.offset_s < view.from || one.onset_s > view.to) continue;
    const onset = view.x(one.onset_s);
    const wide = Math.max(view.x(one.offset_s) - onset, 2 * view.unit);
    context.strokeRect(onset, view.bottom - 16 * view.unit, wide, 15 * view.unit);
  }
  context.setLineDash([]);
}

/** A thin strip under the curves: when the face was hard to read. */
export function drawGates(context, view, samples) {
  const top = view.bottom + 3 * view.unit;
  const high = 7 * view.unit;
  context.fillStyle = view.colours.strip;
  context.fillRect(view.left, top, view.right - view.left, high);
  samples.gateSpans(view.from, view.to, (name, start, end) => {
    context.fillStyle = gateColour(name);
    context.fillRect(view.x(start), top, Math.max(view.x(end) - view.x(start), 1.5 * view.unit), high);
  });
}
