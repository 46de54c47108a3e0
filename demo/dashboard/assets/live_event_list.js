// What was spotted, the newest first; what was seen and not reported, on demand.
import { eventCard, rejectedCard } from "./live_event_card.js";
import { Recent, clockTime, make } from "./live_elements.js";
import { kindWord, labelWord } from "./terms.js";
import { words } from "./words.js";

const MOST = 200;

export class EventList {
  constructor(onChoice = () => {}) {
    this.onChoice = onChoice;
    this.ages = new Recent(1000); // settled to on the screen
    this.count = 0;
    this.rejectedCount = 0;
    this.known = new Map(); // event number -> card
    this.events = [];
    this.rejected = [];
    this.list = make("div", { class: "list", id: "onset-events", role: "tabpanel" });
    this.rejectedList = make("div", { class: "list", hidden: true, id: "onset-rejected", role: "tabpanel" });
    this.said = make("div", { class: "unseen", "aria-live": "polite" });
    this.tabs = [
      this.tab("events", "onset-events", true),
      this.tab("rejected", "onset-rejected", false),
    ];
    this.element = make(
      "section",
      { class: "events", "aria-label": words("live.events") },
      make("div", { class: "tabs", role: "tablist" }, ...this.tabs),
      this.list,
      this.rejectedList,
      this.said,
    );
    this.clear();
  }

  tab(name, panel, on) {
    const count = make("span", { class: "count", text: "0" });
    const button = make(
      "button",
      { type: "button", role: "tab", "aria-selected": String(on), "aria-controls": panel, "data-list": name, tabindex: on ? "0" : "-1" },
      make("span", { text: words(`live.${name}`) }),
      count,
    );
    button.addEventListener("click", () => this.choose(name));
    button.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
      this.choose(name === "events" ? "rejected" : "events");
      this.tabs.find((tab) => tab !== button).focus();
    });
    button.count = count;
    return button;
  }

  choose(name) {
    for (const tab of this.tabs) {
      const on = tab.dataset.list === name;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
    }
    this.list.hidden = name !== "events";
    this.rejectedList.hidden = name !== "rejected";
    this.onChoice(name);
  }

  clear() {
    this.known.clear();
    this.events = [];
    this.rejected = [];
    this.count = this.rejectedCount = 0;
    this.list.replaceChildren(empty("events-none"));
    this.rejectedList.replaceChildren(empty("rejected-none"));
    this.countUp();
  }

  /** Take an event; one that is known already, told again after a reconnect, changes nothing. */
  add(message, received = performance.now()) {
    const { event } = message;
    if (this.known.has(event.event_id)) return false;
    const card = eventCard(message);
    this.known.set(event.event_id, card);
    this.events.push(event);
    this.count = Math.max(this.count + 1, event.event_id);
    this.place(card, event.event_id);
    this.countUp();
    if (!message.again) {
      card.classList.add("fresh");
      this.announce(event);
      this.measure(message, received);
    }
    return true;
  }

  /** Newest first; those told again may come in any order. */
  place(card, number) {
    if (this.known.size === 1) this.list.replaceChildren();
    card.number = number;
    const after = [...this.list.children].find((other) => other.number < number);
    this.list.insertBefore(card, after ?? this.list.querySelector(".earlier"));
    if (this.known.size > MOST) this.forget();
  }

  forget() {
    const cards = [...this.list.children].filter((card) => card.number);
    const oldest = cards.at(-1);
    oldest.remove();
    this.known.delete(oldest.number);
    this.events.splice(this.events.findIndex((event) => event.event_id === oldest.number), 1);
    if (!this.list.querySelector(".earlier")) this.list.append(make("p", { class: "earlier", text: words("live.earlier") }));
  }

  /** The pictures of an event are on the disk. */
  drawn({ event_id: number, media }) {
    this.known.get(number)?.pictures(media);
  }

  addRejected(rejected) {
    // The same one may be told again after a reconnect.
    const key = `${rejected.face_id} ${rejected.onset_index} ${rejected.apex_index} ${rejected.reason}`;
    if (this.rejected.some((one) => one.key === key)) return;
    if (!this.rejected.length) this.rejectedList.replaceChildren();
    this.rejected.push({ ...rejected, key });
    this.rejectedCount += 1;
    this.rejectedList.prepend(rejectedCard(rejected));
    if (this.rejected.length > MOST) {
      this.rejected.shift();
      this.rejectedList.lastElementChild.remove();
    }
    this.countUp();
  }

  countUp() {
    this.tabs[0].count.textContent = this.count;
    this.tabs[1].count.textContent = this.rejectedCount;
  }

  announce(event) {
    const share = event.probabilities?.[event.label];
    const label = labelWord(event.label) + (share === undefined ? "" : ` ${Math.round(100 * share)} %`);
    this.said.textContent = words("live.announce", { kind: kindWord(event.kind), time: clockTime(event.apex_s, 1), label });
  }

  /** From certain to painted: the age when it was sent, and the time until the screen has shown it. */
  measure(message, received) {
    if (message.settled_age_ms == null || document.hidden) return;
    requestAnimationFrame(() => {
      // The task after the frame: what the frame drew is on the screen then.
      const channel = new MessageChannel();
      channel.port1.onmessage = () => this.ages.add(message.settled_age_ms + performance.now() - received);
      channel.port2.postMessage(null);
    });
  }
}

function empty(name) {
  return make("div", { class: "empty" }, make("b", { text: words(`live.${name}`) }), make("p", { text: words(`live.${name}-what`) }));
}
