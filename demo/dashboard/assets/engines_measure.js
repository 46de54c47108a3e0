// Speed of a checkpoint on every backend, side by side; and what the doctor found on this machine.
import { badge, count, jobPanel, make, milliseconds, newest } from "./engines_parts.js";
import { told } from "./engines_told.js";
import { words } from "./words.js";

export function measureContent(entry, view) {
  const jobs = newest(view.work, ["engine-measure"]);
  const done = view.work.find((job) => job.kind === "engine-measure" && job.state === "done" && job.result.checkpoint === entry.name);
  return [
    make("h3", {}, words("engines.speed")),
    make("p", { class: "quiet" }, words("engines.speed-hint")),
    make("div", { class: "actions" }, make("button", {
      type: "button", "data-key": "measure", disabled: Boolean(entry.fault) || jobs.some((job) => job.state === "running"), onclick: () => view.measure(),
    }, words("engines.measure"))),
    jobs.filter((job) => job.state !== "done").map((job) => jobPanel(job, { cancel: view.cancel })),
    done ? figures(done.result) : null,
  ];
}

function figures(result) {
  const ran = result.rows.filter((row) => !row.reason);
  const longest = Math.max(...ran.map((row) => row.event.p95_ms), 1);
  const columns = ["backend", "event-time", "map-time", "throughput", "agreement"];
  const head = make("tr", {}, columns.map((name) => make("th", { scope: "col" }, words(`engines.${name}`))));
  const rows = result.rows.map((row) => make("tr", { "data-backend": row.backend },
    make("th", { scope: "row" }, row.backend, row.engine && make("div", { class: "quiet" }, `${row.engine}; ${words("engines.flow-on", { engine: row.flow })}`)),
    row.reason ? make("td", { colspan: 4, class: "reason" }, told(row.reason)) : [
      make("td", {}, bar(row.event, longest), spread(row.event)),
      make("td", {}, spread(row.map)),
      make("td", {}, words("engines.maps", { n: count(Math.round(row.maps_per_second)) })),
      make("td", {}, row.largest_difference === 0 ? words("engines.reference") : row.largest_difference.toExponential(1)),
    ]));
  const { cores, load } = result.machine;
  return [
    make("div", { class: "wide" }, make("table", { class: "speed" }, make("thead", {}, head), make("tbody", {}, rows))),
    make("p", { class: "quiet" }, words("engines.measured-on", { cores, load: load === null ? "?" : load.toFixed(1), batch: result.batch })),
  ];
}

const spread = (value) => `${milliseconds(value.p50_ms)} (p95 ${milliseconds(value.p95_ms)})`;

function bar(value, longest) {
  const width = (number) => `${(100 * number) / longest}%`;
  return make("div", { class: "bar", "aria-hidden": "true" },
    make("i", { class: "most", style: `width: ${width(value.p95_ms)}` }), make("i", { style: `width: ${width(value.p50_ms)}` }));
}

export function machineContent(view) {
  const jobs = newest(view.work, ["doctor"]);
  const done = view.work.find((job) => job.kind === "doctor" && job.state === "done");
  const findings = done ? done.result : view.overview.machine.findings;
  return [
    make("h3", {}, words("engines.machine")),
    make("p", { class: "quiet" }, words(done ? "engines.examined" : "engines.machine-hint")),
    make("div", { class: "actions" }, make("button", {
      type: "button", "data-key": "examine", disabled: jobs.some((job) => job.state === "running"), onclick: () => view.examine(),
    }, words("engines.examine"))),
    jobs.filter((job) => job.state !== "done").map((job) => jobPanel(job, { cancel: view.cancel })),
    make("ul", { class: "findings" }, findings.map(finding)),
  ];
}

function finding(one) {
  const kind = one.state === "ok" ? "ok" : one.required ? "bad" : "missing";
  const state = words(`engines.finding.${one.state}`) + (one.state !== "ok" && !one.required ? words("engines.optional") : "");
  return make("li", {}, make("div", { class: "head" }, make("b", {}, one.name), badge(kind, state)),
    make("div", {}, told(one.detail)), one.remedy ? make("div", { class: "reason" }, told(one.remedy)) : null);
}
