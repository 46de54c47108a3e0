// What a position of the sensitivity dial finds and costs, and which of this browser's cameras is taken.
import { SIZES, choice, choose, devices } from "./live_camera.js";
import { make } from "./live_elements.js";
import { words } from "./words.js";

/** Recall, and false alarms a minute while moving naturally, at rest and speaking: the README's table of the dial. */
export const DIAL = {
  1: { recall: 0.6, moving: 0, rest: 0, speech: 0.9 },
  3: { recall: 0.84, moving: 0, rest: 0, speech: 0.9 },
  5: { recall: 0.92, moving: 0.9, rest: 0, speech: 4.7 },
  7: { recall: 0.92, moving: 1.9, rest: 1.9, speech: 8.4 },
  9: { recall: 0.88, moving: 4.7, rest: 5.6, speech: 17 },
};

/** Figures of a position; between two that were measured, between theirs. */
export function dialFigures(position) {
  const below = Math.min(7, 2 * Math.floor((position - 1) / 2) + 1);
  const share = (position - below) / 2;
  const [low, high] = [DIAL[below], DIAL[below + 2]];
  const between = (name) => low[name] + share * (high[name] - low[name]);
  return Object.fromEntries(Object.keys(low).map((name) => [name, between(name)]));
}

export class OnsetDial extends HTMLElement {
  static observedAttributes = ["position"];

  connectedCallback() {
    this.attributeChangedCallback();
  }

  attributeChangedCallback() {
    const position = Number(this.getAttribute("position") ?? 5);
    const { recall, moving, rest, speech } = dialFigures(position);
    const rate = (number) => (number < 10 ? number.toFixed(1).replace(/\.0$/, "") : number.toFixed(0));
    const values = { recall: `${Math.round(100 * recall)} %`, moving: rate(moving), rest: rate(rest), speech: rate(speech) };
    this.textContent = words("live.dial", values);
  }
}

export class OnsetCameraChoice extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount) return;
    this.device = make("select", { "aria-label": words("live.device") });
    this.size = make("select", { "aria-label": words("live.size") });
    this.device.addEventListener("change", () => choose({ deviceId: this.device.value }));
    this.size.addEventListener("change", () => choose({ size: Number(this.size.value) }));
    SIZES.forEach(({ width, height, frameRate }, place) => {
      const text = words("live.size-rate", { size: `${width} × ${height}`, rate: frameRate });
      this.size.append(make("option", { value: place, text }));
    });
    this.size.value = choice().size;
    this.append(labelled("live.device", this.device), labelled("live.size", this.size));
    this.list = () => this.fill();
    navigator.mediaDevices?.addEventListener("devicechange", this.list);
    this.device.addEventListener("focus", this.list);
    this.fill();
  }

  disconnectedCallback() {
    navigator.mediaDevices?.removeEventListener("devicechange", this.list);
  }

  async fill() {
    const found = (await devices()).filter((device) => device.deviceId);
    const options = [make("option", { value: "", text: words("live.device-default") })];
    // Names are told only after the camera was allowed once.
    for (const { deviceId, label } of found) options.push(make("option", { value: deviceId, text: label }));
    const same = options.length === this.device.options.length && options.every((one, place) => one.text === this.device.options[place].text);
    if (!same) this.device.replaceChildren(...options);
    this.device.value = found.some((device) => device.deviceId === choice().deviceId) ? choice().deviceId : "";
  }
}

function labelled(key, control) {
  return make("label", {}, make("span", { text: words(key) }), control);
}
