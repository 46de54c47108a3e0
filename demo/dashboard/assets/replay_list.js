// What was spotted, what was not reported, and notes: three lists, the chosen entry open with all there is about it.
import { clockTime, make } from "./live_elements.js";
import { eventDetails, lasted, rejectedDetails } from "./replay_event.js";
import { NoteForm } from "./replay_remarks.js";
import { kindInShort, kindWord, labelWord, listed, reasonWords, regionWord } from "./terms.js";
import { words } from "./words.js";

const SHOWN_AT_ONCE = 120; // an hour of a lively face has hundreds of rejected movements

/** Tells "choose" (detail: a movement), "jump" (detail: seconds) and "remark" after one was saved. */
export class Lists extends EventTarget {
  constructor() {
    super();
    this.kind = "events";
    this.selected = null;
    this.tabs = ["events", "rejected", "notes"].map((kind) => make("button", { type: "button", role: "tab", "data-part": `list-${kind}`,
      id: `tab-${kind}`, "aria-controls": "lists-panel", onclick: () => this.turnTo(kind) }));
    this.tabList = make("div", { class: "tabs", role: "tablist", "aria-label": words("replay.lists") }, ...this.tabs);
    this.tabList.addEventListener("keydown", (event) => this.turnByKey(event));
    this.panel = make("div", { class: "panel", role: "tabpanel", id: "lists-panel", tabindex: "-1" });
    this.element = make("aside", { class: "side" }, this.tabList, this.panel);
  }

  open(session) {
    this.session = session;
    this.selected = null;
    this.more = SHOWN_AT_ONCE;
    this.kind = "events";
    this.show();
  }

  select(movement) {
    if (movement === this.selected) return;
    this.selected = movement;
    if (movement) this.kind = movement.number ? "rejected" : "events";
    this.show();
    this.bringIntoView(this.panel.querySelector(".row.open"));
  }

  /** Scrolls the list alone: the page, with the picture in it, stays where it is. */
  bringIntoView(row) {
    if (!row) return;
    const [inside, around] = [row.getBoundingClientRect(), this.panel.getBoundingClientRect()];
    if (inside.top < around.top || inside.bottom > around.bottom) this.panel.scrollTop += inside.top - around.top - 6;
  }

  turnTo(kind) {
    this.kind = kind;
    this.show();
  }

  turnByKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.stopPropagation(); // or the frames would be stepped, too
    const place = (this.tabs.indexOf(event.target) + step + this.tabs.length) % this.tabs.length;
    this.tabs[place].focus();
    this.tabs[place].click();
  }

  show() {
    const { session } = this;
    this.loop?.close();
    this.loop = null;
    const counts = { events: session?.events.length, rejected: session?.rejected.length, notes: session?.timeNotes.length };
    for (const [place, kind] of ["events", "rejected", "notes"].entries()) {
      const tab = this.tabs[place];
      tab.replaceChildren(words(`replay.list-${kind}`), make("span", { class: "count", text: String(counts[kind] ?? 0) }));
      tab.setAttribute("aria-selected", String(kind === this.kind));
      tab.tabIndex = kind === this.kind ? 0 : -1;
    }
    this.panel.setAttribute("aria-labelledby", `tab-${this.kind}`);
    this.panel.replaceChildren(...(session ? this[this.kind]() : []));
  }

  events() {
    const { session } = this;
    if (!session.events.length) {
      const why = session.record.frames?.with_face === 0 ? "no-face-in-it" : session.rejected.length ? "only-rejected" : "nothing-moved";
      return [empty(words("replay.no-events"), words(`replay.${why}`, { n: session.rejected.length }))];
    }
    return session.inOrder.map((event) => this.row(event, this.eventHead(event), () => eventDetails(this, event)));
  }

  rejected() {
    const { rejected } = this.session;
    if (!rejected.length) return [empty(words("replay.none-rejected"), "")];
    const ordered = [...rejected].sort((a, b) => a.onset_s - b.onset_s);
    const until = this.selected?.number ? ordered.indexOf(this.selected) + 20 : 0;
    const shown = ordered.slice(0, Math.max(this.more, until));
    const rows = shown.map((one) => this.row(one, this.rejectedHead(one), () => rejectedDetails(this, one)));
    const left = rejected.length - shown.length;
    if (left > 0) {
      rows.push(make("button", { type: "button", class: "more", text: words("replay.more", { n: left }), onclick: () => {
        this.more += SHOWN_AT_ONCE;
        this.show();
      } }));
    }
    return [make("p", { class: "soft hint", text: words("replay.rejected-hint") }), ...rows];
  }

  notes() {
    const form = new NoteForm(this.session, () => this.host.player.time, () => this.remarked());
    const rows = this.session.timeNotes.map((note) => make("button", { type: "button", class: "note-row", onclick: () => this.jump(note.time_s) },
      make("time", { text: clockTime(note.time_s) }), make("span", { text: note.note || labelWord(note.label) })));
    return [form.element, ...rows];
  }

  row(movement, head, details) {
    const open = movement === this.selected;
    const look = movement.number ? "ghost" : movement.kind;
    const row = make("article", { class: `row ${look}${open ? " open" : ""}`, "data-number": movement.number ?? movement.event_id });
    head.setAttribute("aria-expanded", String(open));
    head.addEventListener("click", () => this.dispatchEvent(new CustomEvent("choose", { detail: open ? null : movement })));
    row.append(head);
    if (open) row.append(details());
    return row;
  }

  eventHead(event) {
    const remark = this.session.remarkOn(`event:${event.event_id}`);
    const sure = event.probabilities?.[event.label];
    const label = remark?.label
      ? [make("s", { text: labelWord(event.label), title: words("replay.spotted-as") }), make("b", { class: "corrected", text: labelWord(remark.label) })]
      : [make("b", { text: labelWord(event.label) }), sure == null ? null : make("span", { class: "soft", text: percent(sure) })];
    return make("button", { type: "button", class: "head" },
      make("span", { class: "number", text: String(event.event_id) }),
      make("time", { text: clockTime(event.apex_s) }),
      make("span", { class: "kind", title: kindWord(event.kind), text: kindInShort(event.kind) }),
      make("span", { class: "label" }, ...label.filter(Boolean)),
      remark?.note ? make("span", { class: "noted", title: remark.note, text: "✎" }) : null,
      make("span", { class: "soft length", text: lasted(event) }));
  }

  rejectedHead(one) {
    const remark = this.session.remarkOn(`rejected:${one.number}`);
    const where = listed((one.regions ?? []).slice(0, 2).map(regionWord));
    return make("button", { type: "button", class: "head" },
      make("time", { text: clockTime(one.apex_s) }),
      make("span", { class: "label" }, make("span", { text: reasonWords(one.reason) }), make("span", { class: "soft", text: where })),
      remark?.label ? make("b", { class: "corrected", text: labelWord(remark.label) }) : null,
      remark?.note ? make("span", { class: "noted", title: remark.note, text: "✎" }) : null,
      make("span", { class: "soft length", text: lasted(one) }));
  }

  jump(time) {
    this.dispatchEvent(new CustomEvent("jump", { detail: time }));
  }

  remarked() {
    this.dispatchEvent(new Event("remark"));
    this.show();
  }
}

const percent = (share) => `${Math.round(100 * share)} %`;

function empty(title, text) {
  return make("div", { class: "nothing" }, make("b", { text: title }), text ? make("p", { text }) : null);
}
