// Small building blocks of the live view: elements, icons, times in words, and the middle of many figures.

/** An element: make("button", {class: "quiet", onclick: f, text: "Go"}, child, …). Text is never read as HTML. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const PATHS = {
  camera: '<path d="M3 8.5A2.5 2.5 0 0 1 5.5 6H8l1.6-2h4.8L16 6h2.5A2.5 2.5 0 0 1 21 8.5v8a2.5 2.5 0 0 1-2.5 2.5h-13A2.5 2.5 0 0 1 3 16.5z"/><circle cx="12" cy="12.5" r="3.6"/>',
  lost: '<path d="M3 8.5A2.5 2.5 0 0 1 5.5 6H8l1.6-2h4.8L16 6h2.5A2.5 2.5 0 0 1 21 8.5v8a2.5 2.5 0 0 1-2.5 2.5h-13A2.5 2.5 0 0 1 3 16.5z"/><path d="m4 3 16 18"/>',
  face: '<path d="M5 10c0-4 3-7 7-7s7 3 7 7c0 5-3 11-7 11S5 15 5 10z"/><path d="M9 10h.01M15 10h.01M9.5 15c1.5 1.2 3.5 1.2 5 0"/>',
  warning: '<path d="M12 3.5 2.8 19.5h18.4z"/><path d="M12 10v4.5M12 17.2h.01"/>',
  disk: '<ellipse cx="12" cy="6" rx="8" ry="3"/><path d="M4 6v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3"/>',
  chip: '<rect x="6" y="6" width="12" height="12" rx="2"/><path d="M9 2v4M15 2v4M9 18v4M15 18v4M2 9h4M2 15h4M18 9h4M18 15h4"/>',
  lock: '<rect x="5" y="11" width="14" height="9" rx="2"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>',
  link: '<path d="M9 15l6-6M8 12l-2.5 2.5a3.5 3.5 0 0 0 5 5L13 17M16 12l2.5-2.5a3.5 3.5 0 0 0-5-5L11 7"/>',
  waiting: '<circle cx="12" cy="12" r="9" stroke-dasharray="14 7"/>',
  pulse: '<path d="M2 15h5c3 0 2.5-9 5-9s2 9 5 9h5"/>',
};

/** A line drawing of 24 × 24, in the colour of the text; hidden from screen readers, the words beside it speak. */
export function icon(name) {
  const holder = document.createElement("template");
  holder.innerHTML = `<svg class="icon" data-icon="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${PATHS[name] ?? PATHS.warning}</svg>`;
  return holder.content.firstChild;
}

/** 12:03.40 of a number of seconds. */
export function clockTime(seconds, decimals = 2) {
  const scale = 10 ** decimals;
  const ticks = Math.round(Math.max(0, seconds) * scale);
  const whole = Math.floor(ticks / scale);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const two = (number) => String(number).padStart(2, "0");
  const start = hours ? `${hours}:${two(minutes)}` : `${minutes}`;
  const fraction = decimals ? `.${String(ticks % scale).padStart(decimals, "0")}` : "";
  return `${start}:${two(whole % 60)}${fraction}`;
}

/** The newest so many numbers, and what half or 95 % of them do not exceed. */
export class Recent {
  constructor(most = 300) {
    this.most = most;
    this.clear();
  }

  clear() {
    this.values = [];
    this.total = 0;
  }

  add(value) {
    this.total += 1;
    this.values.push(value);
    if (this.values.length > this.most) this.values.shift();
  }

  share(part) {
    if (!this.values.length) return null;
    const ordered = [...this.values].sort((a, b) => a - b);
    return ordered[Math.max(0, Math.ceil(part * ordered.length) - 1)];
  }

  figures() {
    return { count: this.total, p50: this.share(0.5), p95: this.share(0.95), newest: this.values.at(-1) ?? null };
  }
}

/** How many times a second something happens, over the last seconds. */
export class Rate {
  constructor(span_ms = 2000) {
    this.span_ms = span_ms;
    this.times = [];
  }

  mark(now = performance.now()) {
    this.times.push(now);
    this.forget(now);
  }

  forget(now) {
    let first = 0;
    while (first < this.times.length && this.times[first] < now - this.span_ms) first += 1;
    if (first) this.times.splice(0, first);
  }

  perSecond(now = performance.now()) {
    this.forget(now);
    if (this.times.length < 2) return 0;
    const span = this.times.at(-1) - this.times[0];
    // What stopped long ago has no rate any more.
    return now - this.times.at(-1) > 1000 || !span ? 0 : (1000 * (this.times.length - 1)) / span;
  }
}
