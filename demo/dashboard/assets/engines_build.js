// TensorRT engines beside a checkpoint: which there are, which fits here and why the others do not; building one.
import { badge, bytes, jobPanel, make, moment, newest } from "./engines_parts.js";
import { told } from "./engines_told.js";
import { words } from "./words.js";

export function engineContent(entry, view) {
  return [
    make("h3", {}, words("engines.engines")),
    make("p", { class: "quiet" }, words("engines.engines-hint")),
    entry.engines.length ? engineTable(entry) : make("p", { class: "none" }, words("engines.no-engines")),
    entry.unreadable.map((line) => make("p", { class: "fault" }, line)),
    newest(view.work, ["engine-build"]).map((job) => jobPanel(job, { cancel: view.cancel, log: true, ending: outcome(job) })),
    buildForm(entry, view),
  ];
}

function outcome(job) {
  if (job.state !== "done") return "";
  const { kept, seconds, bytes: size, warnings } = job.result;
  const said = kept ? words("engines.kept") : words("engines.built-in", { s: seconds.toFixed(1), size: bytes(size) });
  return [said, ...warnings].join(" ");
}

function engineTable(entry) {
  const columns = ["fits", "precision", "for-cards", "built-by", "size-of", "built-at"];
  const head = make("tr", {}, columns.map((name) => make("th", { scope: "col" }, words(`engines.${name}`))));
  const rows = entry.engines.map((one) => make("tr", { "data-engine": one.name },
    make("td", {}, one.obstacle ? badge("missing", words("engines.not-here")) : badge("ok", words("engines.fits-here"))),
    make("td", {}, one.precision),
    make("td", {}, one.capabilities.join(", "), one.obstacle && make("div", { class: "reason" }, told(one.obstacle))),
    make("td", {}, `${words(`engines.flavour.${one.flavour}`)} ${one.version}`, one.obstacle && one.remedy && make("div", { class: "reason" }, told(one.remedy))),
    make("td", {}, bytes(one.bytes)),
    make("td", {}, moment(one.created), make("div", { class: "quiet" }, words("engines.took", { s: one.seconds.toFixed(1) })))));
  return make("div", { class: "wide" }, make("table", { class: "engines" }, make("thead", {}, head), make("tbody", {}, rows)));
}

function buildForm(entry, view) {
  const { builders, card, no_card: noCard } = view.overview.machine;
  const finding = view.overview.machine.findings.find((one) => one.name === "tensorrt");
  if (!builders.length) {
    return make("div", { class: "state" }, make("b", {}, words("engines.no-tensorrt")),
      make("p", {}, words("engines.no-tensorrt-hint")), make("p", { class: "quiet" }, finding ? [told(finding.detail), ". ", told(finding.remedy)] : ""));
  }
  const form = view.form;
  const capabilities = [...new Map(builders.flatMap((one) => one.capabilities).map((one) => [one.capability, one])).values()];
  const known = new Set(capabilities.map((one) => one.capability));
  form.capabilities ??= new Set(card && known.has(card.capability) ? [card.capability] : []);
  const ready = !entry.fault && (form.capabilities.size > 0 || card);
  return make("form", { class: "build", onsubmit: (event) => { event.preventDefault(); view.build(); } },
    make("h4", {}, words("engines.build")),
    make("fieldset", {}, make("legend", {}, words("engines.precision")), ["fp32", "fp16"].map((one) => choice("radio", "precision", one, words(`engines.${one}`), form.precision === one, () => { form.precision = one; }))),
    make("fieldset", {}, make("legend", {}, words("engines.cards")),
      make("p", { class: "quiet" }, card ? words("engines.card-here", { card: card.name, capability: card.capability }) : words("engines.card-none", { reason: told(noCard) })),
      make("div", { class: "chips" }, capabilities.map((one) => choice("checkbox", `card ${one.capability}`, one.capability, one.cards, form.capabilities.has(one.capability), (on) => {
        if (on) form.capabilities.add(one.capability); else form.capabilities.delete(one.capability);
        view.drawEngines();
      })))),
    choice("checkbox", "rebuild", words("engines.rebuild"), "", form.rebuild, (on) => { form.rebuild = on; }),
    make("div", { class: "actions" },
      make("button", { type: "submit", class: "primary", "data-key": "build", disabled: !ready }, words("engines.build-button")),
      !ready && !entry.fault ? make("span", { class: "quiet" }, words("engines.choose-card")) : null));
}

/** A radio or a box with its word and, smaller, what it means. */
export function choice(type, name, title, hint, checked, onchange, disabled = false) {
  const key = type === "radio" ? `${name} ${title}` : name;
  const input = make("input", { type, name, "data-key": key, checked, disabled, value: title, onchange: (event) => onchange(event.target.checked) });
  return make("label", { class: `choice${disabled ? " disabled" : ""}` }, input, make("span", {}, make("b", {}, title), hint ? make("span", { class: "quiet" }, ` ${hint}`) : null));
}
