// The WebSocket of one viewer: messages taken apart, and a connection that comes back by itself.

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8000;
const SILENT_MS = 15000; // a run says something every second; a connection that says nothing meanwhile is dead

const decoder = new TextDecoder();

/** Header and picture of a binary message: four bytes of length, JSON, JPEG. */
export function takeApart(buffer) {
  const length = new DataView(buffer).getUint32(0);
  const header = JSON.parse(decoder.decode(new Uint8Array(buffer, 4, length)));
  return { header, picture: new Uint8Array(buffer, 4 + length) };
}

export class LiveConnection {
  /** handlers: message(object), frame(header, picture), link("connecting" | "open" | "lost"). */
  constructor(handlers, address = defaultAddress()) {
    this.handlers = handlers;
    this.address = address;
    this.tries = 0;
    this.ended = false;
    this.talking = false; // whether the server has something to say all the time
    this.online = () => this.hurry();
    window.addEventListener("online", this.online);
    this.open();
  }

  open() {
    if (this.ended) return;
    this.drop();
    this.handlers.link(this.tries ? "lost" : "connecting");
    const socket = new WebSocket(this.address);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => this.watchSilence();
    socket.onmessage = (message) => this.take(socket, message.data);
    socket.onclose = () => this.again(socket);
  }

  /** Let the socket before go, which may still be connecting: the server would count two viewers. */
  drop() {
    clearInterval(this.silence);
    if (!this.socket) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
  }

  take(socket, data) {
    if (socket !== this.socket) return;
    this.heard = performance.now();
    if (this.tries !== 0 || !this.spoken) this.handlers.link("open");
    this.spoken = true;
    this.tries = 0;
    if (typeof data === "string") {
      this.handlers.message(JSON.parse(data));
    } else {
      const { header, picture } = takeApart(data);
      this.handlers.frame(header, picture);
    }
  }

  watchSilence() {
    this.heard = performance.now();
    clearInterval(this.silence);
    this.silence = setInterval(() => {
      if (this.talking && !document.hidden && performance.now() - this.heard > SILENT_MS) this.socket.close();
    }, 2000);
  }

  again(socket) {
    if (socket !== this.socket || this.ended) return;
    clearInterval(this.silence);
    this.spoken = false;
    this.tries += 1;
    this.handlers.link("lost");
    // A little chance, so that all pages do not come back at the same moment.
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.tries - 1)) * (0.75 + 0.5 * Math.random());
    this.timer = setTimeout(() => this.open(), wait);
  }

  hurry() {
    if (this.tries === 0 || this.ended) return;
    clearTimeout(this.timer);
    this.open();
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  close() {
    this.ended = true;
    window.removeEventListener("online", this.online);
    clearTimeout(this.timer);
    this.drop();
  }
}

function defaultAddress() {
  const address = new URL("/onset/live", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}
