// This browser's camera as the source of the run: asked for before anything starts, sent on while tabs change,
// taken up again after a reload.

const KEPT = "onset-camera"; // the ticket outlives a reload of this page, not the page
const CHOICE = "onset-camera-choice";
const FAULTS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "no-camera",
  OverconstrainedError: "no-camera",
  NotReadableError: "camera-busy",
  AbortError: "camera-busy",
};
export const SIZES = [
  { width: 640, height: 480, frameRate: 30 },
  { width: 640, height: 480, frameRate: 60 },
  { width: 1280, height: 720, frameRate: 30 },
  { width: 1280, height: 720, frameRate: 60 },
  { width: 1920, height: 1080, frameRate: 30 },
];

let sender = null;
let fault = null;
const listeners = new Set();

/**
 * Be told of changes: {state, detail} of a camera that cannot be used, "beside" where the run goes on all the same,
 * null when there is nothing to say.
 */
export function onCamera(listener) {
  listeners.add(listener);
  listener(fault);
  return () => listeners.delete(listener);
}

function tell(state, detail = "") {
  fault = state ? { state, detail } : null;
  for (const listener of listeners) listener(fault);
}

/** What was wrong with this browser's camera says nothing of a run from another source. */
export const forgetFault = () => tell(null);

export const sendsCamera = () => sender !== null;
export const cameraFigures = () => sender?.figures() ?? null;

export function choice() {
  try {
    return { deviceId: "", size: 0, ...JSON.parse(localStorage.getItem(CHOICE) ?? "{}") };
  } catch {
    return { deviceId: "", size: 0 };
  }
}

export function choose(changes) {
  localStorage.setItem(CHOICE, JSON.stringify({ ...choice(), ...changes }));
}

export async function devices() {
  const { CameraSender } = await import("./camera.js");
  return CameraSender.devices();
}

/** Ask for the camera before the run starts, so that a refusal leaves no empty session. True when it may be used. */
export async function ask() {
  if (!navigator.mediaDevices) {
    tell("insecure");
    return false;
  }
  const { deviceId } = choice();
  try {
    const video = deviceId ? { deviceId: { exact: deviceId } } : true;
    const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    for (const track of stream.getTracks()) track.stop();
    tell(null);
    return true;
  } catch (error) {
    tell(FAULTS[error.name] ?? "camera-fault", error.message);
    return false;
  }
}

/** Send this browser's camera to the run that gave the ticket. */
export async function send(ticket, session) {
  await hangUp();
  const { CameraSender } = await import("./camera.js");
  const { deviceId, size } = choice();
  const settings = { ticket, deviceId: deviceId || undefined, ...(SIZES[size] ?? SIZES[0]) };
  sessionStorage.setItem(KEPT, JSON.stringify({ ticket, session }));
  const mine = new CameraSender({ ...settings, onState: (told) => mine === sender && cameraSays(told) });
  sender = mine;
  await mine.start();
}

/** States of `CameraSender` that leave the run without pictures, as this view calls them. */
const WITHOUT = { refused: "refused", missing: "no-camera", busy: "camera-busy", insecure: "insecure" };
const SAID = new Set(["size", "unsupported", "failed"]); // in words of their own
const BESIDE = new Set(["unplugged", "muted", "hidden", "reconnecting"]); // the run goes on

function cameraSays({ state, detail }) {
  if (state in WITHOUT) tell(WITHOUT[state]);
  else if (SAID.has(state)) tell("camera-fault", detail);
  else if (BESIDE.has(state)) tell("beside", detail);
  else tell(null);
}

/** After a reload: the run still waits for the camera of this page. */
export async function takeUpAgain(session) {
  if (sender) return false;
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    if (!kept || kept.session !== session) return false;
    await send(kept.ticket, kept.session);
    return true;
  } catch {
    return false;
  }
}

/** Stop sending; the run is over or another page's. */
export async function hangUp() {
  const was = sender;
  sender = null;
  sessionStorage.removeItem(KEPT);
  tell(null);
  was?.stop();
}
