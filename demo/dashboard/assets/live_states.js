// What the stage says when there is no picture to show: one state, one drawing, what to do.
import { icon, make } from "./live_elements.js";
import { noticeWords } from "./terms.js";
import { words } from "./words.js";

const QUIET_MS = 2500;
const ICONS = {
  idle: "camera",
  starting: "waiting",
  stopping: "waiting",
  connecting: "waiting",
  "waiting-for-camera": "waiting",
  "waiting-picture": "waiting",
  "camera-lost": "lost",
  quiet: "lost",
  "no-camera": "lost",
  "camera-busy": "camera",
  "camera-fault": "lost",
  refused: "lock",
  insecure: "lock",
  disconnected: "link",
  failed: "warning",
  "failed-engine": "chip",
  "failed-disk": "disk",
};
/** States over the last picture, which stays to be seen. */
const OVER_PICTURE = new Set(["camera-lost", "quiet", "disconnected", "stopping"]);
/** States in which a camera that this page cannot open is the news. */
const WANTS_CAMERA = new Set(["idle", "failed"]);
/** And those of a run that is filmed by a browser. */
const RUN_WANTS_CAMERA = new Set(["waiting-for-camera", "camera-lost"]);

/** The state to show; null while the picture speaks for itself. */
export function stateToShow({ link, state, source, reason, camera, heard, now }) {
  if (link === "connecting") return { name: "connecting" };
  if (link === "lost") return { name: "disconnected" };
  const ofRun = source === "browser";
  if (camera && camera.state !== "beside" && (WANTS_CAMERA.has(state) || (ofRun && RUN_WANTS_CAMERA.has(state)))) {
    return { name: camera.state, text: camera.state === "camera-fault" ? camera.detail : "" };
  }
  if (state === "failed") return { name: faultOf(reason), text: noticeWords(reason ?? "") };
  if (state === "running") {
    if (!heard) return { name: "waiting-picture" };
    const silent = now - heard;
    return silent > QUIET_MS ? { name: "quiet", values: { seconds: Math.floor(silent / 1000) } } : null;
  }
  const beside = ofRun && camera?.state === "beside" && state === "camera-lost" ? camera.detail : "";
  return { name: state, text: beside || noticeWords(reason ?? "") };
}

export function faultOf(reason = "") {
  if (/no space left|disk (is )?full|ENOSPC/i.test(reason)) return "failed-disk";
  if (/tensorrt|backend|CUDA|engine (is|was|of|for)|no engine/i.test(reason)) return "failed-engine";
  return "failed";
}

export class StateScreen {
  constructor() {
    this.element = make("div", { class: "screen", role: "status", hidden: true });
    this.key = "";
  }

  /** Show a state of `stateToShow`, with a kept session's name and report where there is one. */
  show(shown, kept = null) {
    const key = JSON.stringify([shown, kept]);
    if (key === this.key) return;
    this.key = key;
    this.element.hidden = !shown;
    this.element.dataset.state = shown?.name ?? "";
    if (!shown) return;
    const { name, text, values } = shown;
    this.element.classList.toggle("over", OVER_PICTURE.has(name));
    const what = words(`live.state-what.${name}`);
    this.element.replaceChildren(
      icon(ICONS[name] ?? "warning"),
      make("h2", { text: words(`live.state.${name}`, values) }),
      ...(text ? [make("p", { class: "detail", text })] : []),
      ...(what ? [make("p", { text: what })] : []),
      ...(kept && name === "idle" ? [keptLine(kept)] : []),
    );
  }
}

function keptLine(session) {
  const report = `/onset/sessions/${encodeURIComponent(session)}/files/report.html`;
  return make(
    "p",
    { class: "kept" },
    make("span", { text: words("live.session-kept", { name: session }) }),
    make("a", { href: report, target: "_blank", rel: "noopener", text: words("live.report") }),
  );
}

const CALM_MS = 9000;
const MOST = 4;

/** Messages of the run: those that ask for nothing go by themselves. */
export class Notices {
  constructor() {
    this.element = make("div", { class: "notices", "aria-live": "polite", "aria-label": words("live.notices") });
  }

  add(level, text) {
    const close = make("button", { type: "button", class: "quiet", "aria-label": words("live.dismiss"), text: "×" });
    const notice = make("div", { class: `notice ${level}` }, make("span", { text: noticeWords(text) }), close);
    close.addEventListener("click", () => notice.remove());
    this.element.prepend(notice);
    while (this.element.children.length > MOST) this.element.lastElementChild.remove();
    if (level === "info") setTimeout(() => notice.remove(), CALM_MS);
  }
}
