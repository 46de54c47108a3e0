// How good the conditions are, as one figure, seven bars and plain advice; and the quiet figures of the run.
import { make } from "./live_elements.js";
import { adviceWords, aspectWord, qualityWord } from "./terms.js";
import { words } from "./words.js";

const AROUND = 2 * Math.PI * 26;
const MOST_ADVICE = 3;

export class Conditions {
  constructor() {
    this.figure = make("b", { text: "–" });
    this.word = make("span", { text: "" });
    const ring = document.createElement("template");
    ring.innerHTML = `<svg viewBox="0 0 64 64" aria-hidden="true"><circle class="rail" cx="32" cy="32" r="26"/>
      <circle class="arc" cx="32" cy="32" r="26" transform="rotate(-90 32 32)"/></svg>`;
    this.arc = ring.content.querySelector(".arc");
    this.gauge = make("div", { class: "gauge", role: "img" }, ring.content.firstElementChild, make("div", {}, this.figure, this.word));
    this.smallest = make("p", { class: "smallest" });
    this.aspects = make("ul", { class: "aspects" });
    this.advice = make("ul", { class: "advice" });
    this.element = make(
      "section",
      { class: "conditions", "aria-label": words("live.conditions") },
      make("h3", { text: words("live.conditions") }),
      make("div", { class: "measured" }, this.gauge, make("div", {}, this.smallest, this.aspects)),
      this.advice,
    );
    this.show(null);
  }

  show(conditions) {
    this.element.dataset.word = conditions?.word ?? "unknown";
    if (!conditions) return this.showNothing();
    this.figure.textContent = conditions.quality;
    this.word.textContent = qualityWord(conditions.word);
    this.gauge.setAttribute("aria-label", `${words("live.quality-of", { n: conditions.quality })}, ${qualityWord(conditions.word)}`);
    this.arc.style.visibility = conditions.quality ? "visible" : "hidden";
    this.arc.style.strokeDasharray = `${(AROUND * conditions.quality) / 100} ${AROUND}`;
    const smallest = conditions.smallest_movement_px;
    this.smallest.textContent = smallest == null ? words("live.smallest-unknown") : words("live.smallest", { n: smallest.toFixed(1) });
    this.showAspects(conditions.faces?.[0]?.aspects ?? {});
    const advice = (conditions.advice ?? []).slice(0, MOST_ADVICE).map(adviceWords);
    this.showAdvice(advice.length ? advice : [words("live.conditions-good")]);
  }

  showNothing() {
    this.figure.textContent = "–";
    this.word.textContent = "";
    this.gauge.setAttribute("aria-label", words("live.conditions-none"));
    this.arc.style.visibility = "hidden"; // a round end would show as a dot
    this.smallest.textContent = words("live.conditions-none");
    this.aspects.replaceChildren();
    this.advice.replaceChildren();
  }

  showAspects(aspects) {
    const rows = Object.entries(aspects).map(([name, score]) => {
      const bar = make("i", {});
      bar.style.width = `${Math.max(3, 100 * score)}%`;
      const word = score >= 0.92 ? "good" : score >= 0.7 ? "fair" : "poor";
      return make("li", { class: word, title: `${Math.round(100 * score)} %` }, make("span", { text: aspectWord(name) }), make("span", { class: "bar" }, bar));
    });
    this.aspects.replaceChildren(...rows);
  }

  showAdvice(sentences) {
    // Unchanged words are left alone: a screen reader would read them again every second.
    if (this.told === sentences.join("\n") && this.advice.children.length) return;
    this.told = sentences.join("\n");
    this.advice.replaceChildren(...sentences.map((text) => make("li", { text })));
  }
}

export class Figures {
  constructor() {
    this.values = {};
    const rows = ["rate", "dropped", "face", "latency", "preview", "age"].map((name) => {
      this.values[name] = make("dd", { text: "–" });
      return make("div", {}, make("dt", { text: words(`live.figures.${name}`) }), this.values[name]);
    });
    this.element = make("dl", { class: "figures", "aria-label": words("live.figures.label") }, ...rows);
  }

  show(header, preview) {
    const { rate, dropped, face, latency, preview: shown, age } = this.values;
    const per = (value) => words("live.figures.hz", { n: value.toFixed(1) });
    const milliseconds = (value) => (value == null ? "–" : Math.round(value));
    if (header) {
      rate.textContent = header.frame_rate_hz ? per(header.frame_rate_hz) : "–";
      const counts = header.counts ?? {};
      dropped.textContent = counts.dropped ?? "–";
      dropped.classList.toggle("bad", counts.dropped > 0);
      face.textContent = counts.read ? `${Math.round((100 * (counts.with_face ?? 0)) / counts.read)} %` : "–";
      const times = header.latency_ms ?? {};
      latency.textContent = words("live.figures.ms", { n: `${milliseconds(times.p50)} / ${milliseconds(times.p95)}` });
    }
    shown.textContent = per(preview.framesPerSecond);
    age.textContent = preview.frameAgeMs.p50 == null ? "–" : words("live.figures.ms", { n: Math.round(preview.frameAgeMs.p50) });
  }

  clear() {
    for (const value of Object.values(this.values)) value.textContent = "–";
  }
}
