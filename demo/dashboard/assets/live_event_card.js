// One event, or one movement that was not reported, as a card that opens.
import { clockTime, make } from "./live_elements.js";
import { kindInShort, kindWord, labelWord, listed, movedWords, movementLine, reasonWords, regionWord, saidMovements, unitsInShort, unitWord } from "./terms.js";
import { words } from "./words.js";

const RETRIES_MS = [500, 2000, 6000];
const PICTURES = ["onset", "apex", "offset", "flow", "strain"];

/**
 * The card of an event: closed it says when, what and how sure; open it shows everything.
 * Its pictures are drawn after the event is told: card.pictures(media) says where they are.
 */
export function eventCard({ event, media }) {
  const details = make("details", { class: `card ${event.kind}` });
  details.append(
    make(
      "summary",
      {},
      picture(media, "apex", "thumbnail"),
      make("div", { class: "what" }, headline(event), shares(event), make("p", { class: "line", text: movementLine(event) })),
    ),
  );
  details.addEventListener("toggle", () => {
    if (details.open && !details.querySelector(".inside")) details.append(inside(event, media));
  });
  details.pictures = (drawn) => {
    media = drawn;
    details.querySelector(".thumbnail").replaceWith(picture(media, "apex", "thumbnail"));
    details.querySelector(".pictures")?.replaceWith(gallery(media));
  };
  return details;
}

/** The card of a movement that was not reported. */
export function rejectedCard(rejected) {
  const where = listed((rejected.regions ?? []).slice(0, 3).map(regionWord));
  return make(
    "div",
    { class: "card rejected" },
    make(
      "div",
      { class: "what" },
      make("div", { class: "head" }, make("time", { text: clockTime(rejected.apex_s) }), make("span", { class: "soft", text: lasted(rejected) })),
      make("p", { class: "reason", text: reasonWords(rejected.reason) }),
      make("p", { class: "line", text: [where, sizes(rejected)].filter(Boolean).join(" · ") }),
    ),
  );
}

const perCent = (share) => make("span", { class: "share", text: words("live.unit-score", { n: Math.round(100 * share) }) });

function headline(event) {
  const share = event.probabilities?.[event.label];
  return make(
    "div",
    { class: "head" },
    make("time", { text: clockTime(event.apex_s) }),
    make("span", { class: `kind ${event.kind}`, title: kindWord(event.kind), text: kindInShort(event.kind) }),
    make("span", { class: "soft", text: lasted(event) }),
    make("b", { class: `label ${tone(event.label)}` }, labelWord(event.label), share === undefined ? null : perCent(share)),
  );
}

const tone = (label) => (["negative", "positive", "surprise"].includes(label) ? label : "other");

function lasted(event) {
  const seconds = event.offset_s - event.onset_s;
  return seconds < 0.9995 ? words("live.duration", { n: Math.round(1000 * seconds) }) : words("live.duration-s", { n: seconds.toFixed(2) });
}

const sizes = (event) =>
  words("live.strength-of", { strength: event.strength.toFixed(2), threshold: event.threshold.toFixed(2) });

const byShare = (event) => Object.entries(event.probabilities ?? {}).sort(([, a], [, b]) => b - a);

/** All labels in one bar, the likeliest first. */
function shares(event) {
  const parts = byShare(event).map(([label, share]) => {
    const part = make("i", { class: tone(label), title: `${labelWord(label)} ${Math.round(100 * share)} %` });
    part.style.flexGrow = share;
    return part;
  });
  return parts.length ? make("div", { class: "shares" }, ...parts) : null;
}

/** A bar for every label. */
function probabilities(event) {
  const rows = byShare(event).map(([label, share]) => {
    const bar = make("i", {});
    bar.style.width = `${Math.max(1.5, 100 * share)}%`;
    const name = make("span", { class: "name", text: labelWord(label) });
    return make("li", { class: tone(label) }, name, make("span", { class: "bar" }, bar), perCent(share));
  });
  if (!rows.length) return null;
  return make("ul", { class: "probabilities" }, ...rows);
}

function inside(event, media) {
  return make("div", { class: "inside" }, gallery(media), probabilities(event), moved(event), units(event), facts(event));
}

function gallery(media) {
  const figures = PICTURES.map((name) =>
    make("figure", {}, picture(media, name, "still"), make("figcaption", { text: words(`live.${name}`) })),
  );
  if (!media) return make("div", { class: "pictures" }, ...figures);
  const clip = make("video", { class: "clip", src: `${media}clip.mp4`, loop: true, muted: true, playsinline: true, controls: true, preload: "none" });
  const button = make("button", { type: "button", class: "quiet", text: words("live.clip-play") });
  button.addEventListener("click", () => {
    button.replaceWith(clip);
    clip.muted = true;
    clip.play().catch(() => {}); // the controls are there
  });
  return make("div", { class: "pictures" }, ...figures, button);
}

/** A picture that may not be drawn yet: asked for again a few times, then said to be missing. */
function picture(media, name, kind) {
  const holder = make("span", { class: `picture ${kind}`, title: words(`live.${name}`) });
  if (!media) {
    holder.classList.add("coming");
    holder.dataset.words = kind === "still" ? words("live.picture-coming") : "";
    return holder;
  }
  const image = make("img", { alt: words(`live.${name}`), loading: kind === "still" ? "lazy" : "eager", decoding: "async" });
  let tries = 0;
  image.addEventListener("load", () => holder.classList.remove("coming"));
  image.addEventListener("error", () => {
    if (tries >= RETRIES_MS.length || !holder.isConnected) {
      holder.classList.replace("coming", "missing");
      holder.dataset.words = words("live.picture-none");
      return;
    }
    setTimeout(() => (image.src = `${media}${name}.png?try=${tries}`), RETRIES_MS[tries]);
    tries += 1;
  });
  holder.classList.add("coming");
  holder.dataset.words = kind === "still" ? words("live.picture-coming") : "";
  image.src = `${media}${name}.png`;
  holder.append(image);
  return holder;
}

function moved(event) {
  const said = saidMovements(event.movements);
  const rows = said.length
    ? said.map((one) =>
        make(
          "li",
          {},
          arrow(one),
          make("span", { text: movedWords(one) }),
          make("span", { class: "soft", text: words("live.px", { n: one.length.toFixed(1) }) }),
        ),
      )
    : (event.regions ?? []).map((region) => make("li", {}, make("span", { text: regionWord(region) })));
  return make("section", {}, make("h4", { text: words("live.moved") }), make("ul", { class: "moved" }, ...rows));
}

function arrow({ right, down, both }) {
  const sign = make("span", { class: "arrow", "aria-hidden": "true", text: both && Math.abs(right) > Math.abs(down) ? "↔" : "→" });
  // Two sides go mirror-wise: what they share is up or down.
  const angle = both ? (Math.abs(right) > Math.abs(down) ? 0 : Math.sign(down) * 90) : (Math.atan2(down, right) * 180) / Math.PI;
  sign.style.transform = `rotate(${angle}deg)`;
  return sign;
}

function units(event) {
  const found = event.action_units ?? [];
  const rows = found.map((unit) => {
    const side = unit.side === "both" ? "" : ` · ${words(`terms.unit-side.${unit.side}`)}`;
    return make(
      "li",
      {},
      make("b", { text: `AU${unit.unit}` }),
      make("span", { text: unitWord(unit.unit, unit.name) + side }),
      make("span", { class: "soft", text: words("live.unit-score", { n: Math.round(100 * unit.score) }) }),
    );
  });
  const list = rows.length ? make("ul", { class: "units" }, ...rows) : make("p", { class: "line", text: unitsInShort(found) });
  return make("section", {}, make("h4", { text: words("live.units") }), list);
}

function checkpointWords(checkpoint) {
  if (!checkpoint) return null;
  const name = String(checkpoint).split("/").pop();
  return words("live.checkpoint-of", { name: name === "default" ? words("live.checkpoint-default") : name });
}

function facts(event) {
  const said = [
    words("live.face-of", { n: event.face_id }),
    words("live.frames-of", { onset: event.onset_index, apex: event.apex_index, offset: event.offset_index }),
    sizes(event),
    event.latency_ms == null ? null : words("live.latency-of", { n: Math.round(event.latency_ms) }),
    checkpointWords(event.checkpoint),
  ];
  return make("p", { class: "facts", text: said.filter(Boolean).join(" · ") });
}
