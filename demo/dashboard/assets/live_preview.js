// The camera's picture: the newest frame only, drawn when the screen is ready, with what was measured on it.
import { Rate, Recent, make } from "./live_elements.js";
import { drawFaces } from "./live_overlay.js";
import { words } from "./words.js";

const SHARPEST = 2; // device pixels a CSS pixel; more costs time and shows nothing
const NO_FACE_MS = 2000;
const COLOURS = {
  outline: "rgb(94 234 212 / 85%)",
  region: "rgb(94 234 212 / 50%)",
  regionFill: "rgb(94 234 212 / 9%)",
  moving: "rgb(251 191 36)",
  movingFill: "rgb(251 191 36 / 26%)",
  arrow: "rgb(254 240 138)",
  halo: "rgb(15 23 42 / 75%)",
  doubt: "rgb(248 113 113 / 85%)",
  doubtFill: "rgb(127 29 29 / 88%)",
  doubtText: "rgb(254 226 226)",
};

export class Preview {
  /** seen(index) is called once for each frame that was drawn or had to make way. */
  constructor(seen) {
    this.seen = seen;
    this.canvas = make("canvas", { class: "preview", role: "img", "aria-label": words("live.preview-described") });
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.look = { outline: true, regions: true, movement: true, gates: true, mirror: false, magnified: 10 };
    this.drawn = 0;
    this.received = 0;
    this.overtaken = 0;
    this.rate = new Rate();
    this.ages = new Recent(4000);
    this.waiting = null; // the newest picture that is decoded and not drawn yet
    this.shown = null; // the picture on the screen, kept for changes of the overlay
    this.order = 0;
    this.accepted = 0; // the newest order that was decoded or cleared: pictures may be decoded out of turn
    this.faceSeen = 0;
    this.heard = 0;
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.canvas);
    this.hidden = () => document.hidden && this.waiting && this.letGo();
    document.addEventListener("visibilitychange", this.hidden);
  }

  /** A page in the background draws nothing: what waits is let go, or the server would wait for it. */
  letGo() {
    this.waiting.image.close();
    this.overtake(this.waiting.header.index);
    this.waiting = null;
  }

  /** Take a frame as it came; pictures are decoded beside the page, and only the newest of them is drawn. */
  async take(header, picture, received = performance.now()) {
    this.received += 1;
    this.heard = received;
    if (header.faces?.length || !this.faceSeen) this.faceSeen = received;
    if (document.hidden || !this.canvas.clientWidth) {
      this.seen(header.index); // nobody looks: go on without a picture
      return;
    }
    const order = (this.order += 1);
    let image;
    try {
      image = await createImageBitmap(new Blob([picture], { type: "image/jpeg" }));
    } catch {
      this.overtake(header.index);
      return;
    }
    if (order <= this.accepted) {
      image.close();
      this.overtake(header.index);
      return;
    }
    this.accepted = order;
    if (this.waiting) this.letGo();
    this.waiting = { header, image, received };
    this.request();
  }

  overtake(index) {
    this.overtaken += 1;
    this.seen(index);
  }

  request() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  draw() {
    const fresh = this.waiting;
    if (fresh) {
      this.shown?.image.close();
      this.shown = fresh;
      this.waiting = null;
    }
    if (!this.shown) return;
    this.paint(this.shown);
    if (!fresh) return;
    const now = performance.now();
    this.drawn += 1;
    this.rate.mark(now);
    if (fresh.header.captured_age_ms !== undefined) this.ages.add(fresh.header.captured_age_ms + now - fresh.received);
    this.seen(fresh.header.index);
  }

  paint({ header, image }) {
    const { context, canvas } = this;
    const scale = Math.min(canvas.width / header.width, canvas.height / header.height);
    const wide = header.width * scale;
    const high = header.height * scale;
    context.fillStyle = "#0b0e11";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.save();
    context.translate(Math.round((canvas.width - wide) / 2), Math.round((canvas.height - high) / 2));
    context.beginPath();
    context.rect(0, 0, wide, high);
    context.clip();
    if (this.look.mirror) {
      context.translate(wide, 0);
      context.scale(-1, 1);
    }
    context.imageSmoothingQuality = "low";
    context.drawImage(image, 0, 0, wide, high);
    const unit = this.unit ?? 1;
    drawFaces(context, header.faces ?? [], { ...this.look, scale, unit, width: wide, height: high, colours: COLOURS });
    context.restore();
  }

  fit() {
    const unit = Math.min(SHARPEST, window.devicePixelRatio || 1);
    const width = Math.round(this.canvas.clientWidth * unit);
    const height = Math.round(this.canvas.clientHeight * unit);
    this.unit = unit;
    if (!width || !height || (width === this.canvas.width && height === this.canvas.height)) return;
    this.canvas.width = width;
    this.canvas.height = height;
    if (this.shown) this.paint(this.shown);
  }

  change(look) {
    Object.assign(this.look, look);
    this.request();
  }

  /** Frames come and none shows a face, for two seconds and longer. */
  withoutFace(now = performance.now()) {
    return this.faceSeen > 0 && now - this.heard < 1500 && now - this.faceSeen > NO_FACE_MS;
  }

  clear() {
    for (const held of [this.waiting, this.shown]) held?.image.close();
    this.waiting = this.shown = null;
    this.accepted = this.order; // what is still being decoded belongs to the run before
    this.faceSeen = this.heard = 0;
    this.context.fillStyle = "#0b0e11";
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.sizes.disconnect();
    document.removeEventListener("visibilitychange", this.hidden);
    this.clear();
  }

  figures() {
    return {
      framesDrawn: this.drawn,
      framesReceived: this.received,
      framesOvertaken: this.overtaken,
      framesPerSecond: this.rate.perSecond(),
      frameAgeMs: this.ages.figures(),
    };
  }
}
