// All there is about one movement: its pictures, what moved, how sure, a magnified loop, and what people say of it.
import { clockTime, make } from "./live_elements.js";
import { addressOf, fetched } from "./replay_session.js";
import { RemarkForm } from "./replay_remarks.js";
import { labelWord, listed, regionWord, saidMovements, unitsInShort, unitWord } from "./terms.js";
import { words } from "./words.js";

const CLIP_FACTOR = 11; // how much the clip of every event is magnified when it is written
const AFTER_MS = 450;

export function lasted(movement) {
  const seconds = movement.offset_s - movement.onset_s;
  return seconds < 0.9995 ? `${Math.round(1000 * seconds)} ms` : `${seconds.toFixed(2)} s`;
}

export function eventDetails(lists, event) {
  const { session } = lists;
  const base = `${session.base}/files/events/${String(event.event_id).padStart(4, "0")}`;
  return make("div", { class: "details" },
    moments(lists, event, base),
    make("div", { class: "evidence" }, ...fields(event, base), probabilities(event) ?? ""),
    whatMoved(event),
    measures(event),
    event.pictures.length ? (lists.loop = new Loop(session, event, base)).element : null,
    new RemarkForm(session, { event_id: event.event_id }, event.label, () => lists.remarked()).element);
}

export function rejectedDetails(lists, one) {
  const where = listed((one.regions ?? []).map(regionWord));
  return make("div", { class: "details" },
    moments(lists, one, null),
    make("p", { class: "line", text: where }),
    measures(one),
    new RemarkForm(lists.session, { rejected_number: one.number }, null, () => lists.remarked()).element);
}

/** Onset, apex and offset side by side; each leads to its frame. */
function moments(lists, movement, base) {
  const row = make("div", { class: `moments${base && movement.pictures.length ? " with-pictures" : ""}` });
  for (const name of ["onset", "apex", "offset"]) {
    const time = movement[`${name}_s`];
    const picture = base && movement.pictures.includes(name) ? make("img", { src: `${base}/${name}.png`, alt: "", loading: "lazy" }) : null;
    row.append(make("button", { type: "button", class: "moment", "data-part": name, onclick: () => lists.host.toMoment(movement, name, true) },
      picture,
      make("span", { class: "name", text: words(`replay.${name}`) }),
      make("time", { text: clockTime(time, 3) }),
      make("span", { class: "soft", text: words("replay.frame", { n: movement[`${name}_index`] }) })));
  }
  return row;
}

/** Flow and strain, to be looked at large. */
function fields(event, base) {
  const there = ["flow", "strain"].filter((name) => event.pictures.includes(name));
  return there.map((name) => {
    const text = words(`replay.${name}`);
    return make("button", { type: "button", class: "field", title: words("replay.enlarge"), onclick: (press) => enlarge(press.currentTarget, `${base}/${name}.png`, text) },
      make("img", { src: `${base}/${name}.png`, alt: text, loading: "lazy" }), make("span", { text }));
  });
}

function enlarge(opener, address, text) {
  const close = () => dialog.close();
  const dialog = make("dialog", { class: "large", "aria-label": text, onclick: close },
    make("img", { src: address, alt: text }), make("button", { type: "button", class: "quiet", text: words("replay.close"), onclick: close }));
  dialog.addEventListener("close", () => {
    dialog.remove();
    opener.focus();
  });
  opener.getRootNode().append(dialog);
  dialog.showModal();
}

function probabilities(event) {
  const ordered = Object.entries(event.probabilities ?? {}).sort((a, b) => b[1] - a[1]);
  if (!ordered.length) return null;
  return make("div", { class: "bars" }, ...ordered.map(([label, share]) => {
    const fill = make("i");
    fill.style.width = `${(100 * share).toFixed(1)}%`;
    return make("div", { class: label === event.label ? "bar best" : "bar" },
      make("span", { text: labelWord(label) }), make("span", { class: "share", text: `${Math.round(100 * share)} %` }), make("span", { class: "track" }, fill));
  }));
}

function whatMoved(event) {
  const said = saidMovements(event.movements);
  const lines = said.length
    ? said.map((one) => make("li", {}, `${one.name} ${one.way}`.trim(), make("span", { class: "soft", text: ` ${one.length.toFixed(1)} px` })))
    : (event.regions ?? []).map((region) => make("li", { text: regionWord(region) }));
  const units = event.action_units ?? [];
  const names = units.map((unit) => `AU${unit.unit} ${unitWord(unit.unit, unit.name)}`).join(" · ");
  return make("div", { class: "moved" }, make("ul", {}, ...lines),
    make("p", { class: "units", title: names }, make("b", { text: unitsInShort(units) }), units.length ? make("span", { class: "soft", text: ` ${names}` }) : null));
}

function measures(one) {
  const pair = (name, value) => make("div", {}, make("dt", { text: words(`replay.${name}`) }), make("dd", { text: value }));
  const px = (value) => `${Number(value).toFixed(2)} px`;
  return make("dl", { class: "measures" },
    pair("lasts", lasted(one)),
    ...(one.strength == null ? [] : [pair("size", words("replay.size-of", { size: px(one.strength), limit: px(one.threshold) }))]),
    ...(one.latency_ms == null ? [] : [pair("latency", `${Math.round(one.latency_ms)} ms`)]));
}

/** The movement as it was and magnified, over and over; made anew for another factor. */
class Loop {
  constructor(session, event, base) {
    this.address = `${addressOf(session.name)}/events/${event.event_id}/magnified.mp4`;
    this.video = make("video", { muted: true, loop: true, autoplay: true, playsinline: true, "aria-label": words("replay.loop-described") });
    this.video.muted = true; // the attribute alone does not count for elements made by script
    this.video.src = `${base}/clip.mp4`;
    this.video.addEventListener("error", () => !this.blob && !this.closed && this.fetch());
    this.video.addEventListener("click", () => (this.video.paused ? this.video.play() : this.video.pause()));
    this.output = make("output", { text: `×${CLIP_FACTOR}` });
    this.slider = make("input", { type: "range", min: "2", max: "50", step: "1", value: String(CLIP_FACTOR), "data-part": "factor", "aria-label": words("replay.factor") });
    this.state = make("span", { class: "soft", role: "status" });
    this.slider.addEventListener("input", () => {
      this.output.textContent = `×${this.slider.value}`;
      clearTimeout(this.later);
      this.later = setTimeout(() => this.fetch(), AFTER_MS);
    });
    this.element = make("div", { class: "magnified" },
      make("div", { class: "captions" }, make("span", { text: words("replay.as-it-was") }), make("span", { text: words("replay.magnified") })),
      this.video,
      make("label", { class: "factor" }, make("span", { text: words("replay.factor") }), this.slider, this.output), this.state);
  }

  /** Give back what it holds: pictures of a face are not kept longer than they are seen. */
  close() {
    this.closed = true;
    clearTimeout(this.later);
    this.asking?.abort();
    if (this.blob) URL.revokeObjectURL(this.blob);
  }

  async fetch() {
    const factor = this.slider.value;
    this.state.textContent = words("replay.magnifying");
    this.asking?.abort();
    this.asking = new AbortController();
    try {
      const response = await fetched(`${this.address}?factor=${factor}`, { signal: this.asking.signal });
      const blob = await response.blob();
      if (this.closed || !this.element.isConnected) return;
      if (this.blob) URL.revokeObjectURL(this.blob);
      this.blob = URL.createObjectURL(blob);
      this.video.src = this.blob;
      this.video.dataset.factor = factor;
      this.video.play().catch(() => {}); // a browser that does not let it play by itself: a click does
      this.state.textContent = "";
    } catch (fault) {
      if (fault.name !== "AbortError") this.state.textContent = fault.message;
    }
  }
}
