// Corrected labels and notes: written beside what was spotted, which stays as it is and is always shown.
import { clockTime, make } from "./live_elements.js";
import { targetOf } from "./replay_session.js";
import { labelWord } from "./terms.js";
import { words } from "./words.js";

const OTHER = "\u0000other";
const NOTHING = "not an expression";
const MOMENT = "moment"; // the draft of a note about a moment
let forms = 0;

/** A remark's moment in the reader's own words for dates. */
const when = (remark) => new Date(remark.made_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

const called = (label) => (label === NOTHING ? words("replay.not-an-expression") : labelWord(label));

/** Label and note of one event or rejected movement. */
export class RemarkForm {
  constructor(session, target, spotted, saved) {
    [this.session, this.target, this.saved] = [session, target, saved];
    this.key = targetOf(target);
    const present = session.remarkOn(this.key);
    const identity = `remark-${(forms += 1)}`;
    this.choice = make("select", { id: identity, "data-part": "label" });
    const choices = [...new Set([...session.labels, NOTHING])];
    const keep = spotted ? words("replay.as-spotted", { label: labelWord(spotted) }) : words("replay.no-label");
    this.choice.append(make("option", { value: "", text: keep }), ...choices.map((label) => make("option", { value: label, text: called(label) })),
      make("option", { value: OTHER, text: words("replay.other-label") }));
    this.own = make("input", { type: "text", maxlength: "80", hidden: true, "data-part": "own-label", placeholder: words("replay.own-label"), "aria-label": words("replay.own-label") });
    if (present?.label) {
      const listed = choices.includes(present.label);
      this.choice.value = listed ? present.label : OTHER;
      if (!listed) this.own.value = present.label;
    }
    this.note = make("textarea", { rows: "2", maxlength: "4000", "data-part": "note", placeholder: words("replay.note-hint"), "aria-label": words("replay.note") });
    this.note.value = present?.note ?? "";
    const draft = session.drafts.get(this.key);
    for (const name of ["choice", "own", "note"]) if (draft) this[name].value = draft[name];
    this.own.hidden = this.choice.value !== OTHER;
    this.button = make("button", { type: "submit", class: "primary", "data-part": "save", text: words("replay.save") });
    this.state = make("span", { class: "soft", role: "status", text: present ? words("replay.saved-at", { when: when(present) }) : "" });
    this.element = make("form", { class: "remark" },
      make("div", { class: "pair" }, make("label", { for: identity, text: words("replay.your-label") }), this.choice), this.own, this.note,
      make("div", { class: "foot" }, this.state, this.button), this.history());
    this.choice.addEventListener("change", () => {
      this.own.hidden = this.choice.value !== OTHER;
      if (!this.own.hidden) this.own.focus();
    });
    this.element.addEventListener("input", () => session.drafts.set(this.key, { choice: this.choice.value, own: this.own.value, note: this.note.value }));
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
  }

  get label() {
    const chosen = this.choice.value === OTHER ? this.own.value.trim() : this.choice.value;
    return chosen || null;
  }

  async save() {
    this.button.disabled = true;
    this.state.textContent = words("replay.saving");
    try {
      await this.session.addRemark({ ...this.target, label: this.label, note: this.note.value });
      this.session.drafts.delete(this.key);
      this.saved();
    } catch (fault) {
      this.state.textContent = fault.message;
      this.state.classList.add("fault");
      this.button.disabled = false;
    }
  }

  /** What was said before; nothing is ever lost. */
  history() {
    const earlier = this.session.remarksOn(this.key).slice(1);
    if (!earlier.length) return null;
    const said = (one) => [one.label && called(one.label), one.note].filter(Boolean).join(" · ") || words("replay.taken-back");
    return make("details", { class: "history" }, make("summary", { text: words("replay.earlier", { n: earlier.length }) }),
      ...earlier.map((one) => make("p", {}, make("time", { text: when(one) }), ` ${said(one)}`)));
  }
}

/** A note about the moment that is shown. */
export class NoteForm {
  constructor(session, timeNow, saved) {
    [this.session, this.saved] = [session, saved];
    const draft = session.drafts.get(MOMENT);
    this.note = make("textarea", { rows: "2", maxlength: "4000", required: true, "data-part": "moment-note", placeholder: words("replay.moment-hint"), "aria-label": words("replay.moment-note") });
    this.state = make("span", { class: "soft", role: "status" });
    this.button = make("button", { type: "submit", class: "primary" });
    this.note.value = draft?.note ?? "";
    this.at(draft?.time ?? timeNow());
    this.element = make("form", { class: "remark" }, this.note, make("div", { class: "foot" }, this.state, this.button));
    this.note.addEventListener("focus", () => this.at(timeNow()));
    this.note.addEventListener("input", () => session.drafts.set(MOMENT, { note: this.note.value, time: this.time }));
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
  }

  /** The moment that is shown is the moment that is saved, however far the video went on since. */
  at(time) {
    this.time = time;
    this.button.textContent = words("replay.note-here", { time: clockTime(time, 2) });
  }

  async save() {
    this.button.disabled = true;
    try {
      const time = Math.round(this.time * 1e6) / 1e6;
      await this.session.addRemark({ time_s: time, note: this.note.value });
      this.session.drafts.delete(MOMENT);
      this.saved();
    } catch (fault) {
      this.state.textContent = fault.message;
      this.state.classList.add("fault");
      this.button.disabled = false;
    }
  }
}
