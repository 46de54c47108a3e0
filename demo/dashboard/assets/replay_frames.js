// Frames of a session as they are asked for: a store of the latest, and the neighbours fetched ahead.
import { fetched } from "./replay_session.js";

const KEPT_BYTES = 160 * 2 ** 20; // decoded pictures: about 130 of 640×480
const AHEAD_AT_ONCE = 2; // one more for the frame that is waited for leaves Chromium's connections some air

export class Frames {
  constructor(base) {
    this.base = base;
    this.kept = new Map();
    this.keptBytes = 0;
    this.coming = new Map();
    this.ahead = [];
    this.fetchingAhead = 0;
    this.closed = false;
  }

  /** The picture of a frame; `face` is the number of the frame by which the face is cut out, null for the whole. */
  async get(index, face) {
    const key = `${index}/${face ?? ""}`;
    const known = this.kept.get(key);
    if (known) {
      this.kept.delete(key);
      this.kept.set(key, known);
      return known;
    }
    if (!this.coming.has(key)) {
      const coming = this.fetch(index, face).finally(() => this.coming.delete(key));
      this.coming.set(key, coming);
    }
    const picture = await this.coming.get(key);
    this.keep(key, picture);
    return picture;
  }

  /** Fetch these soon, in this order; what was asked for ahead before is forgotten. */
  expect(frames) {
    this.ahead = frames.filter(({ index, face }) => !this.kept.has(`${index}/${face ?? ""}`));
    this.fetchAhead();
  }

  close() {
    this.closed = true;
    this.ahead = [];
    for (const picture of this.kept.values()) picture.close();
    this.kept.clear();
    this.keptBytes = 0;
  }

  async fetchAhead() {
    while (this.fetchingAhead < AHEAD_AT_ONCE && this.ahead.length && !this.closed) {
      const { index, face } = this.ahead.shift();
      this.fetchingAhead += 1;
      // What cannot be fetched ahead says so when it is asked for.
      this.get(index, face).catch(() => {}).finally(() => {
        this.fetchingAhead -= 1;
        this.fetchAhead();
      });
    }
  }

  async fetch(index, face) {
    const query = face == null ? "" : `?face=${face}`;
    const response = await fetched(`${this.base}/frames/${index}.jpg${query}`);
    return createImageBitmap(await response.blob());
  }

  keep(key, picture) {
    if (this.kept.has(key)) return;
    if (this.closed) return;
    this.kept.set(key, picture);
    this.keptBytes += 4 * picture.width * picture.height;
    while (this.keptBytes > KEPT_BYTES && this.kept.size > 3) {
      const [oldest, old] = this.kept.entries().next().value;
      this.kept.delete(oldest);
      this.keptBytes -= 4 * old.width * old.height;
      // Not closed: it may be the one on the screen; it goes with the last reference.
    }
  }
}
