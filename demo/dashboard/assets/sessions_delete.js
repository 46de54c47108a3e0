// Deleting, after it was said what goes and that it is for good; "Cancel" has the focus.
import { make } from "./live_elements.js";
import { addressOf, ask, bytes, called, day, openDialog } from "./sessions_parts.js";
import { words } from "./words.js";

/** Ask once; done(names, fault) is told what was deleted, and what could not be. */
export function askBeforeDeleting(root, sessions, all, done) {
  const what = sessions.length === 1 ? words("sessions.one-session", { name: called(sessions[0]), day: day(sessions[0].started_at) }) : words("sessions.n-sessions", { n: sessions.length });
  const events = sessions.reduce((sum, one) => sum + one.micro + one.macro, 0);
  const size = bytes(sessions.reduce((sum, one) => sum + one.size_bytes, 0));
  const running = sessions.some((one) => one.state === "recording");
  const recordings = [...new Set(sessions.map((one) => one.recording).filter(Boolean))];
  const names = new Set(sessions.map((one) => one.name));
  const shared = recordings.some((name) => all.some((one) => one.recording === name && !names.has(one.name)));
  const box = make("input", { type: "checkbox", "data-part": "delete-recording" });
  const cancel = make("button", { type: "button", text: words("sessions.cancel"), onclick: () => dialog.close() });
  const confirm = make("button", { type: "button", class: "danger solid", "data-part": "delete-confirm", disabled: running, text: words("sessions.delete-confirm") });
  confirm.addEventListener("click", async () => {
    confirm.disabled = true;
    const { gone, fault } = await deleteAll(sessions, box.checked);
    if (dialog.open) dialog.close();
    done(gone, fault);
  });
  const dialog = openDialog(root, "delete", words("sessions.delete-title", { what }),
    make("p", { text: running ? words("sessions.delete-running") : words("sessions.delete-lead", { events, size }) }),
    recordings.length ? make("label", { class: "choice" }, box, make("span", {}, words("sessions.delete-recording", { names: recordings.join(", ") }),
      shared ? make("span", { class: "soft", text: words("sessions.delete-shared") }) : null)) : null,
    make("p", { class: "soft", text: words("sessions.delete-stays") }),
    make("div", { class: "actions end-row" }, cancel, confirm));
  cancel.focus();
}

async function deleteAll(sessions, recordings) {
  const gone = [];
  const videos = new Set();
  for (const session of sessions) {
    // Of several sessions of one video the first takes it along.
    const recording = recordings && session.recording && !videos.has(session.recording);
    try {
      await ask(addressOf(session.name), { method: "DELETE", body: { confirm: session.name, recording: Boolean(recording) } });
    } catch (fault) {
      return { gone, fault: fault.message };
    }
    gone.push(session.name);
    if (recording) videos.add(session.recording);
  }
  return { gone, fault: null };
}
