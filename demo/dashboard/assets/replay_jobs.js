// Replays under way: how far each is, to be cancelled; tells "done" with the job when one of them ends.
import { make } from "./live_elements.js";
import { words } from "./words.js";

const OFTEN_MS = 700;
const SELDOM_MS = 4000;

export class Jobs extends EventTarget {
  constructor() {
    super();
    this.element = make("section", { class: "jobs", "aria-label": words("replay.jobs"), hidden: true });
    this.known = new Map(); // id -> state when it was last seen
    this.dismissed = new Set();
    this.mine = new Set(); // what this page asked for
    this.offered = new Set(); // done, to be opened when somebody wants to
    this.turn = 0; // an answer to an earlier question is not shown
    this.rows = new Map();
  }

  start() {
    this.stop();
    this.running = true;
    this.ask();
  }

  stop() {
    this.running = false;
    this.turn += 1;
    clearTimeout(this.later);
  }

  /** Ask at once: something was started. */
  ask() {
    clearTimeout(this.later);
    if (this.running) this.look();
  }

  /** This page is about to start replays: those that come from now on are its own, until they are all there. */
  expect() {
    this.expecting = true;
  }

  /** All that this page started are there. */
  expectNoMore() {
    this.expecting = this.last = true;
    this.ask();
  }

  /** Leave a job that is done in the list, with a way to its session. */
  offer(job) {
    this.offered.add(job.id);
  }

  async look() {
    const turn = (this.turn += 1);
    let busy = false;
    try {
      const jobs = (await (await fetch("/onset/jobs")).json()).filter((job) => job.kind === "replay");
      if (turn !== this.turn) return;
      busy = jobs.some((job) => job.state === "waiting" || job.state === "running");
      this.show(jobs);
    } catch {
      // The dashboard does not answer; the page says so elsewhere. Asked again below.
    }
    if (turn !== this.turn) return;
    clearTimeout(this.later);
    if (this.running) this.later = setTimeout(() => this.look(), busy ? OFTEN_MS : SELDOM_MS);
  }

  show(jobs) {
    this.follow(jobs);
    const shown = jobs.filter((job) => this.isShown(job)).reverse();
    for (const [id, row] of this.rows) {
      if (shown.some((job) => job.id === id)) continue;
      row.remove();
      this.rows.delete(id);
    }
    for (const job of shown) {
      const row = this.rows.get(job.id) ?? this.add(job);
      row.tell(job);
    }
    this.element.hidden = !shown.length;
  }

  /** Which jobs are this page's own, which ended since the last look. */
  follow(jobs) {
    for (const job of jobs) {
      const before = this.known.get(job.id);
      this.known.set(job.id, job.state);
      if (!before && this.expecting) this.mine.add(job.id);
      // What failed before this page was opened was told then.
      else if (!before && !this.looked && job.state === "failed") this.dismissed.add(job.id);
      const ended = before ? before !== "done" : this.mine.has(job.id);
      if (job.state === "done" && ended) this.dispatchEvent(new CustomEvent("done", { detail: { job, mine: this.mine.has(job.id) } }));
    }
    this.looked = true;
    if (this.last) this.expecting = this.last = false;
  }

  /** What runs, and what failed or waits to be opened since this page is there, until it is put away. */
  isShown(job) {
    if (this.dismissed.has(job.id)) return false;
    return ["waiting", "running", "failed"].includes(job.state) || this.offered.has(job.id);
  }

  add(job) {
    const bar = make("progress", { max: "1", "aria-label": job.title });
    const said = make("span", { class: "said", role: "status" });
    const end = make("button", { type: "button", class: "quiet" });
    const go = make("button", { type: "button", class: "quiet", hidden: true, "data-part": "open", text: words("replay.open") });
    const row = make("div", { class: "job", "data-job": job.id }, make("b", { text: job.title }), bar, said, go, end);
    let over = false;
    end.addEventListener("click", () => {
      if (over) {
        this.dismissed.add(job.id);
        this.ask();
        return;
      }
      end.disabled = true;
      fetch(`/onset/jobs/${job.id}/cancel`, { method: "POST" }).finally(() => this.ask());
    });
    row.tell = (now) => {
      over = now.state === "failed" || now.state === "done";
      go.hidden = now.state !== "done";
      go.onclick = () => {
        this.dismissed.add(job.id);
        this.dispatchEvent(new CustomEvent("open", { detail: now.result.session }));
        this.ask();
      };
      if (over) end.disabled = false;
      row.classList.toggle("failed", now.state === "failed");
      bar.hidden = over;
      if (now.fraction == null) bar.removeAttribute("value");
      else bar.value = now.fraction;
      said.textContent = saidOf(now);
      end.textContent = words(over ? "replay.dismiss" : "replay.cancel");
    };
    this.rows.set(job.id, row);
    this.element.append(row);
    return row;
  }
}

function saidOf(job) {
  if (job.state === "failed") return job.error;
  if (job.state === "done") return words("replay.job-done");
  if (job.state === "waiting") return words("replay.job-waiting");
  const [, read, , of, events] = job.note.match(/^frame (\d+)( of (\d+))?, (\d+) event/) ?? [];
  if (read === undefined) return words("replay.job-begins");
  if (of && Number(read) >= Number(of) - 10) return words("replay.job-ends", { events });
  return words(of ? "replay.job-runs" : "replay.job-runs-on", { read, of, events });
}
