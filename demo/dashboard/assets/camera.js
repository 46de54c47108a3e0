// The browser's camera, sent to a run as single images with the times at which they were taken.
// The page asks for the camera; a worker reads, encodes and sends, so that a busy or hidden page holds nothing up.
import { words } from "./words.js";

const POLL_MS = 250;
const RETURN_MS = 2000;
// What cameras and systems do to a picture before a page sees it; each would move or smear what shall be measured.
const UNTOUCHED = { resizeMode: "none", backgroundBlur: false, faceFraming: false, eyeGazeCorrection: false };
const FAULTS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
  OverconstrainedError: "size",
};

/**
 * Sends one camera to one run.
 *
 * States that `onState({state, detail})` tells, `detail` in the browser's language:
 * asking, connecting, sending, hidden (sending, but the browser may slow it down), muted, reconnecting, unplugged,
 * and those at which it ends: insecure, unsupported, refused, missing, busy, size, failed, ended.
 */
export class CameraSender {
  /** The cameras of this browser; without names until the person has allowed one. */
  static async devices() {
    if (!navigator.mediaDevices) return [];
    const all = await navigator.mediaDevices.enumerateDevices();
    return all
      .filter((one) => one.kind === "videoinput")
      .map((one, number) => ({ deviceId: one.deviceId, label: one.label || words("camera.unnamed", { n: number + 1 }) }));
  }

  /** Why this page cannot film, as a state; null where it can. */
  static obstacle() {
    if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) return "insecure";
    const readable = "MediaStreamTrackProcessor" in window || "requestVideoFrameCallback" in HTMLVideoElement.prototype;
    return readable && "OffscreenCanvas" in window ? null : "unsupported";
  }

  /**
   * @param {object} settings
   * @param {string} settings.ticket of the run.
   * @param {string} [settings.deviceId] of `devices()`; the browser's choice otherwise.
   * @param {"auto"|"raw"|"jpeg"} [settings.coding] "auto" sends untouched planes to this very machine, JPEG elsewhere.
   * @param {number} [settings.quality] of JPEG, 0 to 1.
   * @param {MediaStream} [settings.stream] pictures of another origin than a camera.
   * @param {HTMLVideoElement} [settings.preview] shows what is filmed.
   */
  constructor({ ticket, deviceId = null, width = 640, height = 480, frameRate = 30, onState = () => {},
    coding = "auto", quality = 0.95, stream = null, preview = null }) {
    this.settings = { ticket, deviceId, width, height, frameRate, coding, quality };
    this.onState = onState;
    this.given = stream;
    this.preview = preview;
    this.page = [...crypto.getRandomValues(new Uint8Array(12))].map((one) => one.toString(16).padStart(2, "0")).join("");
    this.counted = {};
    this.state = "idle";
    this.returning = null; // set while an unplugged camera is waited for
    this.again = () => this.#again();
    this.visible = () => this.#say(this.state === "hidden" ? "sending" : this.state);
  }

  /** Ask for the camera and begin to send; resolves to whether the camera could be had. */
  async start() {
    const obstacle = this.given ? null : CameraSender.obstacle();
    if (obstacle) return this.#end(obstacle);
    this.#say("asking");
    try {
      this.stream = this.given ?? (await this.#ask());
    } catch (fault) {
      return this.#end(FAULTS[fault.name] ?? "failed", fault.message);
    }
    if (this.state === "ended") return this.#letGo();
    this.worker = new Worker("/onset/assets/camera_worker.js");
    this.worker.onmessage = ({ data }) => this.#hear(data);
    this.worker.onerror = (fault) => this.#end("failed", fault.message);
    document.addEventListener("visibilitychange", this.visible);
    this.#film();
    return true;
  }

  /** Send what is under way, say how many images there were, and let the camera go. */
  stop() {
    this.#waitNoMore();
    if (this.worker && this.state !== "ended") this.worker.postMessage({ type: "stop", total: this.#produced() });
    else this.#end("ended");
  }

  /** Counts since the start: filmed = sent + dropped + under way; also round_trip_ms, coding, bytes. */
  figures() {
    return { ...this.counted };
  }

  async #ask() {
    const { width, height, frameRate } = this.settings;
    // One run, one camera: after an unplugging no other one may take its place unseen.
    const deviceId = this.filmed || this.settings.deviceId;
    const size = { width: { ideal: width }, height: { ideal: height }, ...UNTOUCHED };
    const video = { ...size, frameRate: { ideal: frameRate }, ...(deviceId && { deviceId: { exact: deviceId } }) };
    const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    const [track] = stream.getVideoTracks();
    // A wanted rate also makes the browser throw away images that come a little early; a least rate does not.
    const { width: w, height: h, frameRate: rate = frameRate } = track.getSettings();
    const kept = { width: { exact: w }, height: { exact: h }, frameRate: { min: 0.9 * rate }, ...UNTOUCHED };
    await track.applyConstraints(kept).catch(() => {});
    return stream;
  }

  #film() {
    const [track] = this.stream.getVideoTracks();
    this.track = track;
    const found = track.getSettings();
    this.filmed = found.deviceId;
    const hello = {
      page: this.page,
      device: track.label,
      width: found.width ?? this.settings.width,
      height: found.height ?? this.settings.height,
      frame_rate_hz: found.frameRate || this.settings.frameRate,
    };
    if (this.preview) this.#show();
    track.onended = () => this.#unplugged();
    track.onmute = () => this.#say("muted");
    track.onunmute = () => this.#say("sending");
    this.before = track.stats?.totalFrames ?? null;
    clearInterval(this.polling);
    this.polling = setInterval(() => this.#compare(), POLL_MS);
    this.#say("connecting");
    const address = new URL(`/onset/camera?ticket=${encodeURIComponent(this.settings.ticket)}`, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const { coding, quality } = this.settings;
    const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
    const raw = coding === "raw" || (coding === "auto" && local);
    const message = { type: "film", address: address.href, hello, raw, quality };
    if (window.MediaStreamTrackProcessor) {
      this.buffered = true;
      const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 8 });
      this.worker.postMessage({ ...message, readable }, [readable]);
    } else {
      this.worker.postMessage(message);
      this.#readByVideo();
    }
  }

  /** Where a worker cannot read the camera itself: a video element tells of each image that it shows. */
  #readByVideo() {
    const video = document.createElement("video");
    Object.assign(video, { muted: true, playsInline: true, srcObject: this.stream });
    let shown = null;
    const next = async (now, { captureTime, presentedFrames }) => {
      if (this.state === "ended" || video.srcObject !== this.stream) return;
      video.requestVideoFrameCallback(next);
      const missed = shown === null ? 0 : presentedFrames - shown - 1;
      shown = presentedFrames;
      const taken_ms = performance.timeOrigin + (captureTime ?? now);
      const bitmap = await createImageBitmap(video);
      this.worker?.postMessage({ type: "image", bitmap, taken_ms, missed }, [bitmap]);
    };
    video.requestVideoFrameCallback(next);
    video.play().catch((fault) => this.#end("failed", fault.message));
  }

  /** Images that the camera has given since it was opened, as the browser counts them; null where it does not. */
  #produced() {
    const stats = this.track?.stats;
    if (!this.buffered || !stats || this.before === null) return null;
    // Every other image and more thrown away is the rate that was asked for, not a loss.
    const thinned = stats.discardedFrames > 0.3 * stats.totalFrames;
    return stats.totalFrames - this.before - (thinned ? stats.discardedFrames : 0);
  }

  /** What the browser let go before the worker could see it is lost like any other image: it shall be counted. */
  #compare() {
    const total = this.#produced();
    if (total !== null) this.worker.postMessage({ type: "produced", total });
  }

  #show() {
    Object.assign(this.preview, { muted: true, playsInline: true, srcObject: this.stream });
    this.preview.play().catch(() => {});
  }

  #unplugged() {
    if (this.state === "ended") return;
    this.worker.postMessage({ type: "leave", reason: "its camera was unplugged" });
    this.#say("unplugged");
    clearInterval(this.polling);
    if (this.given) return;
    this.#waitNoMore();
    this.returning = setInterval(this.again, RETURN_MS);
    navigator.mediaDevices.addEventListener("devicechange", this.again);
  }

  /** Take the unplugged camera up again, if it is there; one request at a time. */
  async #again() {
    if (this.asking || this.returning === null) return;
    this.asking = true;
    const stream = await this.#ask().catch(() => null);
    this.asking = false;
    if (!stream) return;
    // Stopped or ended meanwhile: nobody waits for this camera, which must not stay switched on.
    if (this.returning === null) return stream.getTracks().forEach((track) => track.stop());
    this.#waitNoMore();
    this.stream = stream;
    this.#film();
  }

  #waitNoMore() {
    clearInterval(this.returning);
    this.returning = null;
    navigator.mediaDevices?.removeEventListener("devicechange", this.again);
  }

  #hear(message) {
    if (message.type === "figures") this.counted = message.figures;
    else if (["failed", "ended"].includes(message.state)) this.#end(message.state, message.detail);
    else if (this.state !== "unplugged") this.#say(message.state, message.detail);
  }

  #say(state, text = "") {
    const hidden = state === "sending" && !this.buffered && document.visibilityState === "hidden";
    this.state = hidden ? "hidden" : state;
    this.onState({ state: this.state, detail: words(`camera.${this.state}`, { ...this.settings, text }) });
  }

  #end(state, text = "") {
    if (this.state === "ended") return false;
    this.#letGo();
    this.#say(state, text);
    this.state = "ended";
    return false;
  }

  #letGo() {
    clearInterval(this.polling);
    this.#waitNoMore();
    document.removeEventListener("visibilitychange", this.visible);
    if (!this.given) this.stream?.getTracks().forEach((track) => track.stop());
    if (this.preview) this.preview.srcObject = null;
    this.worker?.terminate();
    return false;
  }
}
