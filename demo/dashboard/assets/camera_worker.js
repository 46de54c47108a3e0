// Reads, encodes and sends the camera's images. Every image that the camera gave has a number; one that cannot be sent
// in time leaves its number out, so that the run knows of the gap.

const ENCODED_AT_ONCE = 4;
const BUFFERED_BYTES = 8 * 2 ** 20;
const WARM_UP = 5;
const BACK_OFF_MS = [200, 400, 800, 1500, 3000];
const FIGURES_MS = 250;
const FAREWELL_MS = 2000;
const COMPARED = 3;
const ON_THE_WAY_MS = 200;
const PLANES = { I420: "i420", NV12: "nv12" };

let settings = null;
let socket = null;
let ready = false;
let over = false;
let stopping = false;
let started = false;
let attempts = 0;
let retry = null;
let credits = 0;
let next = 0;
let newestMs = -Infinity;
let roundTripMs = null;
let encoding = 0;
let chain = Promise.resolve();
let reader = null;
const underWay = [];
const count = { sent: 0, dropped: 0, bytes: 0, unseen: 0 };
const camera = { clockMs: null, stampMs: 0, seen: 0, known: 0, ahead: [] };

const say = (state, detail = "") => postMessage({ type: "state", state, detail });

// — the connection —

function connect() {
  clearTimeout(retry);
  if (over || settings.left) return;
  ready = false;
  socket?.close(); // never two at once: the run would take the older one's end for this one's
  const mine = (socket = new WebSocket(settings.address));
  mine.binaryType = "arraybuffer";
  mine.onopen = () => mine.send(JSON.stringify({ type: "hello", ...settings.hello, coding: settings.raw ? "i420" : "jpeg" }));
  mine.onmessage = ({ data }) => mine === socket && hear(JSON.parse(data), performance.now());
  mine.onclose = () => mine === socket && lost();
}

function hear(message, nowMs) {
  if (message.type === "clock") {
    socket.send(JSON.stringify({ type: "clock", number: message.number, there_ms: nowMs, back_ms: performance.now() }));
    roundTripMs = message.round_trip_ms ?? roundTripMs;
  } else if (message.type === "ready") {
    next = Math.max(next, message.next_index);
    credits = message.credits;
    underWay.length = 0;
    attempts = 0;
    ready = true;
    say("sending");
  } else if (message.type === "taken") {
    while (underWay.length && underWay[0] <= message.index) underWay.shift();
  } else if (message.type === "refused" && !message.final) {
    socket.close();
  } else {
    end(message.type === "ended" ? "ended" : "failed", message.text);
  }
}

function lost() {
  ready = false;
  if (over || settings.left) return;
  say("reconnecting");
  retry = setTimeout(connect, BACK_OFF_MS[Math.min(attempts++, BACK_OFF_MS.length - 1)]);
}

function end(state, detail = "") {
  if (over) return;
  over = true;
  clearTimeout(retry);
  reader?.cancel().catch(() => {});
  postFigures();
  say(state, detail);
  socket?.close();
}

// — the camera —

async function read(readable) {
  const mine = (reader = readable.getReader());
  for (;;) {
    const { value: frame, done } = await mine.read();
    if (done || mine !== reader) return frame?.close();
    take(frame, takenMs(frame.timestamp / 1000, performance.now()));
  }
}

/** The camera's own stamp on this worker's clock: the quickest image tells how the two clocks stand. */
function takenMs(stampMs, nowMs) {
  const offset = nowMs - stampMs;
  const known = camera.clockMs;
  if (known === null) camera.clockMs = offset;
  // Down at most by a quarter of the time since the last image: the order of images must never turn round.
  else if (offset < known) camera.clockMs = Math.max(offset, known - 0.25 * Math.max(0, stampMs - camera.stampMs));
  // Up by a ten-thousandth: clocks drift.
  else camera.clockMs = Math.min(offset, known + 1e-4 * Math.max(0, stampMs - camera.stampMs));
  camera.stampMs = stampMs;
  return stampMs + camera.clockMs;
}

/** Number an image, and send it if there is room: the newest one has to go where encoder, network or run are behind. */
function take(image, capturedMs, missed = 0) {
  camera.seen += 1;
  started ||= ready && camera.seen > WARM_UP;
  if (!started || stopping || over || settings.left) return image.close();
  if (missed > 0) skip(missed);
  const index = next++;
  const room = ready && underWay.length < credits && encoding < ENCODED_AT_ONCE && socket.bufferedAmount < BUFFERED_BYTES;
  if (!room || capturedMs <= newestMs) {
    count.dropped += 1;
    return image.close();
  }
  newestMs = capturedMs;
  encoding += 1;
  const mine = socket;
  // Begun at once: cameras have few buffers, and an image that is held takes one away from the next.
  const message = encode(image, index, capturedMs).finally(() => image.close());
  message.catch(() => {});
  chain = chain
    .then(() => message)
    .then((whole) => send(whole, index, mine))
    .catch(() => (count.dropped += 1))
    .finally(() => (encoding -= 1));
}

function send(message, index, mine) {
  // A new connection begins with numbers that the run has not seen.
  if (mine !== socket || !ready) throw new Error("the connection was cut meanwhile");
  socket.send(message);
  underWay.push(index);
  count.sent += 1;
  count.bytes += message.byteLength;
}

function skip(images) {
  next += images;
  count.dropped += images;
  count.unseen += images;
}

/** The browser's own count of what the camera produced: what stays missing from `read` was lost before. */
function compare(total) {
  const ahead = total - camera.seen - camera.known;
  if (!started) {
    camera.known += ahead;
    return;
  }
  camera.ahead = [...camera.ahead, ahead].slice(-COMPARED);
  if (camera.ahead.length === COMPARED) admit(Math.min(...camera.ahead));
}

function admit(lost) {
  if (lost <= 0) return;
  camera.known += lost;
  camera.ahead = [];
  skip(lost);
}

// — one image —

async function encode(image, index, capturedMs) {
  const { width, height } = settings.hello;
  const facts = { index, captured_ms: capturedMs, width, height };
  const same = image instanceof ImageBitmap === false && image.visibleRect.width === width && image.visibleRect.height === height;
  if (settings.raw && same && PLANES[image.format] && width % 2 === 0 && height % 2 === 0) {
    const { matrix, fullRange } = image.colorSpace;
    const more = { coding: PLANES[image.format], full_range: Boolean(fullRange), wide_gamut: matrix === "bt709" };
    const [message, room] = envelope({ ...facts, ...more }, image.allocationSize());
    await image.copyTo(room);
    return message;
  }
  const encoded = jpeg(image, width, height);
  image.close();
  const content = new Uint8Array(await (await encoded).arrayBuffer());
  const [message, room] = envelope({ ...facts, coding: "jpeg" }, content.byteLength);
  room.set(content);
  return message;
}

/** Four bytes with the length of the facts, the facts as JSON, room for the picture. */
function envelope(facts, bytes) {
  const header = new TextEncoder().encode(JSON.stringify(facts));
  const message = new ArrayBuffer(4 + header.length + bytes);
  new DataView(message).setUint32(0, header.length);
  new Uint8Array(message, 4, header.length).set(header);
  return [message, new Uint8Array(message, 4 + header.length)];
}

let canvas = null;
let drawing = null;

/** As JPEG; a picture of another size, as of a telephone that was turned, is fitted in whole. */
function jpeg(image, width, height) {
  if (!canvas) {
    canvas = new OffscreenCanvas(width, height);
    drawing = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  }
  const [w, h] = [image.displayWidth ?? image.width, image.displayHeight ?? image.height];
  const scale = Math.min(width / w, height / h);
  if (w !== width || h !== height) drawing.clearRect(0, 0, width, height);
  drawing.drawImage(image, (width - w * scale) / 2, (height - h * scale) / 2, w * scale, h * scale);
  return canvas.convertToBlob({ type: "image/jpeg", quality: settings.quality });
}

// — what the page says —

function film(message) {
  settings = message;
  Object.assign(camera, { clockMs: null, stampMs: 0, seen: 0, known: 0, ahead: [] });
  started = false;
  if (message.readable) read(message.readable);
  connect();
}

function leave(reason) {
  settings.left = true;
  clearTimeout(retry);
  if (ready) socket.send(JSON.stringify({ type: "leave", reason }));
  socket?.close();
}

async function stop(total) {
  if (started && total !== null) {
    // Images on their way from the camera still come, or are lost.
    const until = performance.now() + ON_THE_WAY_MS;
    while (camera.seen + camera.known < total && performance.now() < until) await pause(10);
    admit(total - camera.seen - camera.known);
  }
  stopping = true;
  reader?.cancel().catch(() => {});
  await chain;
  if (!ready) return end("ended");
  socket.send(JSON.stringify({ type: "complete", frames: next }));
  // The run answers; without an answer everything may still be under way.
  setTimeout(() => end("ended"), FAREWELL_MS);
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const heard = {
  film,
  stop: ({ total }) => stop(total),
  leave: ({ reason }) => leave(reason),
  produced: ({ total }) => compare(total),
  image: ({ bitmap, taken_ms: takenAt, missed }) => take(bitmap, takenAt - performance.timeOrigin, missed),
};
onmessage = ({ data }) => heard[data.type](data);

function postFigures() {
  const figures = { ...count, filmed: next, under_way: encoding, unacknowledged: underWay.length };
  figures.round_trip_ms = roundTripMs;
  postMessage({ type: "figures", figures });
}
setInterval(postFigures, FIGURES_MS);
