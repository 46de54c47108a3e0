// One recorded session in the browser: what was spotted, its course frame by frame, and what people said of it.
import { words } from "./words.js";

/** The JSON that a route answers; what it says where it cannot answer becomes the error. */
export async function fetched(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new Error(words("replay.no-answer"));
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw new Error(said.error ?? words("replay.no-answer"));
}

export const addressOf = (name) => `/onset/sessions/${encodeURIComponent(name)}`;

/** What a remark is about, as one word: "event:3", "rejected:7", "time:12.5". */
export function targetOf(remark) {
  if (remark.event_id != null) return `event:${remark.event_id}`;
  if (remark.rejected_number != null) return `rejected:${remark.rejected_number}`;
  return `time:${remark.time_s}`;
}

export class SessionData {
  static async load(name, signal) {
    const base = addressOf(name);
    const [about, course] = await Promise.all([
      fetched(`${base}/replay`, { signal }).then((response) => response.json()),
      fetched(`${base}/course`, { signal }).then((response) => response.arrayBuffer()).catch((fault) => {
        if (fault.name === "AbortError") throw fault;
        return null; // a run that was killed in its first moment has none
      }),
    ]);
    return new SessionData(about, course);
  }

  constructor(about, course) {
    Object.assign(this, about);
    this.base = addressOf(about.name);
    this.drafts = new Map(); // what is typed and not yet saved, by what it is about
    this.rejected.forEach((one, place) => (one.number = place + 1));
    this.inOrder = [...this.events].sort((a, b) => a.onset_s - b.onset_s);
    this.readCourse(course);
  }

  readCourse(buffer) {
    const length = buffer ? new DataView(buffer).getUint32(0) : 0;
    const header = buffer ? JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) : {};
    const count = (this.count = header.frames ?? 0);
    let at = 4 + length;
    const column = (Kind) => {
      const values = buffer ? new Kind(buffer, at, count) : new Kind(0);
      at += values.byteLength;
      return values;
    };
    this.times = column(Float64Array);
    this.indices = column(Int32Array);
    this.strength = column(Float32Array);
    this.threshold = column(Float32Array);
    this.lanes = (header.lanes ?? []).map((lane) => ({ name: lane, values: column(Float32Array) }));
    this.gates = header.gates ?? {};
    this.unseen = header.unseen ?? [];
    this.faces = header.faces ?? 0;
  }

  get start() {
    return this.count ? this.times[0] : 0;
  }

  get end() {
    const last = this.count ? this.times[this.count - 1] : (this.record.duration_s ?? 0);
    return Math.max(last, ...this.events.map((event) => event.offset_s), this.start + 0.1);
  }

  /** Place of the frame nearest to a time. */
  placeAt(time) {
    const after = lowerBound(this.times, time, this.count);
    if (after <= 0) return 0;
    if (after >= this.count) return Math.max(0, this.count - 1);
    return time - this.times[after - 1] <= this.times[after] - time ? after - 1 : after;
  }

  /** Place of the last frame that is not later than a time: what a player shows then. */
  placeBefore(time) {
    return Math.max(0, Math.min(this.count - 1, lowerBound(this.times, time + 1e-9, this.count) - 1));
  }

  /** Place of the frame of a number, or of the nearest that was read. */
  placeOf(index) {
    const place = lowerBound(this.indices, index, this.count);
    if (place >= this.count) return Math.max(0, this.count - 1);
    if (place > 0 && index - this.indices[place - 1] < this.indices[place] - index) return place - 1;
    return place;
  }

  gatesAt(time) {
    return Object.keys(this.gates).filter((name) => this.gates[name].some(([from, to]) => from <= time && time <= to));
  }

  unseenAt(time) {
    return this.unseen.some(([from, to]) => from <= time && time <= to);
  }

  /** What counts: the newest remark about a thing, null where none was made or it was taken back. */
  remarkOn(target) {
    const remark = this.remarks.findLast((one) => targetOf(one) === target);
    return remark && (remark.label || remark.note) ? remark : null;
  }

  /** Every remark ever made about a thing, the newest first. */
  remarksOn(target) {
    return this.remarks.filter((one) => targetOf(one) === target).reverse();
  }

  /** Notes about moments that still count, in order of time. */
  get timeNotes() {
    const targets = new Set(this.remarks.filter((one) => one.time_s != null).map(targetOf));
    const found = [...targets].map((target) => this.remarkOn(target)).filter(Boolean);
    return found.sort((a, b) => a.time_s - b.time_s);
  }

  async addRemark(said) {
    const body = JSON.stringify(said);
    const options = { method: "POST", headers: { "content-type": "application/json" }, body };
    const remark = await (await fetched(`${this.base}/remarks`, options)).json();
    this.remarks.push(remark);
    return remark;
  }
}

/** Place of the first value that is not less. */
function lowerBound(values, wanted, count) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
