// The movement of the last minute in memory of a fixed size, and its extremes by column for drawing.

const CAPACITY = 16384; // a minute at 270 Hz
const LONGEST_GAP_S = 0.5; // a longer one is drawn as a gap

export class Samples {
  constructor(regions = 19) {
    this.regions = regions;
    this.time = new Float64Array(CAPACITY);
    this.strength = new Float32Array(CAPACITY);
    this.threshold = new Float32Array(CAPACITY);
    this.gates = new Uint32Array(CAPACITY);
    this.movement = new Float32Array(CAPACITY * regions);
    this.gateNames = [];
    this.clear();
  }

  clear() {
    this.count = 0; // ever pushed
  }

  get size() {
    return Math.min(this.count, CAPACITY);
  }

  get first() {
    return this.count - this.size;
  }

  get newest() {
    return this.count ? this.time[(this.count - 1) % CAPACITY] : null;
  }

  /** Take the samples of one message; what is not later than the newest is known already. */
  push(batch) {
    if (!batch?.time_s) return;
    for (let place = 0; place < batch.time_s.length; place += 1) {
      const time = batch.time_s[place];
      if (this.count && time <= this.newest) continue;
      const slot = this.count % CAPACITY;
      this.time[slot] = time;
      this.strength[slot] = batch.strength[place] ?? NaN;
      this.threshold[slot] = batch.threshold[place] ?? NaN;
      this.gates[slot] = this.gateBits(batch.gates?.[place] ?? []);
      const rows = batch.regions?.[place] ?? [];
      for (let region = 0; region < this.regions; region += 1) {
        this.movement[slot * this.regions + region] = rows[region] ?? NaN;
      }
      this.count += 1;
    }
  }

  gateBits(names) {
    let bits = 0;
    for (const name of names) {
      let place = this.gateNames.indexOf(name);
      if (place < 0 && this.gateNames.length < 31) place = this.gateNames.push(name) - 1;
      if (place >= 0) bits |= 1 << place;
    }
    return bits >>> 0;
  }

  gatesOf(bits) {
    return this.gateNames.filter((_, place) => (bits >>> place) & 1);
  }

  /** Number of the first sample not before a time. */
  after(time) {
    let low = this.first;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.time[middle % CAPACITY] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The sample nearest to a time, as an object; null where there is none within half a second. */
  at(time) {
    if (!this.count) return null;
    let number = Math.min(this.after(time), this.count - 1);
    if (number > this.first && time - this.time[(number - 1) % CAPACITY] < this.time[number % CAPACITY] - time) number -= 1;
    const slot = number % CAPACITY;
    if (Math.abs(this.time[slot] - time) > LONGEST_GAP_S) return null;
    return {
      time: this.time[slot],
      strength: this.strength[slot],
      threshold: this.threshold[slot],
      gates: this.gatesOf(this.gates[slot]),
      regions: this.movement.subarray(slot * this.regions, (slot + 1) * this.regions),
    };
  }

  /** Largest threshold, and largest strength while nothing raised doubt, within a span; 0 without one. */
  largest(from, to) {
    let strength = 0;
    let threshold = 0;
    for (let number = this.after(from); number < this.count; number += 1) {
      const slot = number % CAPACITY;
      if (this.time[slot] > to) break;
      if (this.gates[slot] === 0 && this.strength[slot] > strength) strength = this.strength[slot];
      if (this.threshold[slot] > threshold) threshold = this.threshold[slot];
    }
    return { strength, threshold };
  }

  /**
   * Trace a line through a span, thinned to one peak a column: columns stand still in time, so nothing shimmers.
   * value(slot) gives the number; point(time, value, begins) draws.
   */
  trace(from, to, column_s, value, point) {
    let begins = true;
    let column = -Infinity;
    let best = NaN;
    let bestTime = 0;
    let last = -Infinity;
    const give = () => {
      if (Number.isNaN(best)) {
        begins = true;
      } else {
        point(bestTime, best, begins);
        begins = false;
      }
    };
    for (let number = Math.max(this.first, this.after(from) - 1); number < this.count; number += 1) {
      const slot = number % CAPACITY;
      const time = this.time[slot];
      const here = Math.floor(time / column_s);
      if (here !== column || time - last > LONGEST_GAP_S) {
        if (column !== -Infinity) give();
        if (time - last > LONGEST_GAP_S) begins = true;
        column = here;
        best = NaN;
      }
      const number_ = value(slot);
      if (Number.isNaN(best) || number_ > best) {
        best = number_;
        bestTime = time;
      }
      last = time;
      if (time > to) break;
    }
    if (column !== -Infinity) give();
  }

  /** Spans in which a gate held: found(name, start, end). */
  gateSpans(from, to, found) {
    const open = new Array(this.gateNames.length).fill(null);
    let last = null;
    for (let number = Math.max(this.first, this.after(from) - 1); number < this.count; number += 1) {
      const slot = number % CAPACITY;
      const time = this.time[slot];
      const broken = last !== null && time - last > LONGEST_GAP_S;
      for (let gate = 0; gate < open.length; gate += 1) {
        const on = (this.gates[slot] >>> gate) & 1;
        if (open[gate] !== null && (!on || broken)) {
          found(this.gateNames[gate], open[gate], broken ? last : time);
          open[gate] = null;
        }
        if (on && open[gate] === null) open[gate] = time;
      }
      last = time;
      if (time > to) break;
    }
    open.forEach((start, gate) => start !== null && found(this.gateNames[gate], start, last));
  }

  /** The same samples, standing still: for a view that is paused. */
  frozen() {
    const copy = Object.create(Samples.prototype);
    Object.assign(copy, this);
    for (const name of ["time", "strength", "threshold", "gates", "movement"]) copy[name] = this[name].slice();
    copy.gateNames = [...this.gateNames];
    return copy;
  }
}
