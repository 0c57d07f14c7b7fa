// So many requests a second over raw sockets, each sent when it is due: a server that stalls is not asked less for it.
import { connect } from 'node:net';

const { url, headers, rate, connections, seconds } = JSON.parse(process.argv[2]);
const { hostname, port, pathname, search } = new URL(url);
const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
const REQUEST = Buffer.from(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n${lines.join('')}\r\n`);
const TICK_MS = 1;

const latencies = [];
const status = {};
const idle = [];
const waiting = [];
let failures = 0;
let sent = 0;

class Connection {
  #socket = connect(Number(port), hostname);
  #head = '';
  #bodyLeft = -1;
  #dueAt = 0;
  #busy = false;

  constructor() {
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', () => {}); // `close` follows and counts
    this.#socket.on('close', () => {
      if (this.#busy) failures += 1;
      const position = idle.indexOf(this);
      if (position >= 0) idle.splice(position, 1);
      if (performance.now() < endsAt) new Connection();
    });
    this.#free();
  }

  send(dueAt) {
    this.#dueAt = dueAt;
    this.#busy = true;
    this.#socket.write(REQUEST);
  }

  end() {
    this.#socket.destroy();
  }

  // Answers have a Content-Length; each connection carries one request at a time.
  #read(chunk) {
    let text = chunk.latin1Slice();
    if (this.#bodyLeft < 0) {
      this.#head += text;
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) return;
      text = this.#head.slice(end + 4);
      this.#bodyLeft = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#head.slice(0, end))?.[1] ?? 0);
      const code = this.#head.slice(9, 12);
      status[code] = (status[code] ?? 0) + 1;
      this.#head = '';
    }
    this.#bodyLeft -= text.length;
    if (this.#bodyLeft > 0) return;
    this.#bodyLeft = -1;
    this.#busy = false;
    latencies.push(performance.now() - this.#dueAt);
    this.#free();
  }

  #free() {
    const dueAt = waiting.shift();
    if (dueAt === undefined) idle.push(this);
    else this.send(dueAt);
  }
}

const startedAt = performance.now();
const endsAt = startedAt + seconds * 1000;
const all = Array.from({ length: connections }, () => new Connection());
const timer = setInterval(() => {
  const now = performance.now();
  const due = Math.floor(((Math.min(now, endsAt) - startedAt) / 1000) * rate);
  for (; sent < due; sent++) {
    const dueAt = startedAt + (sent * 1000) / rate;
    const connection = idle.pop();
    if (connection === undefined) waiting.push(dueAt);
    else connection.send(dueAt);
  }
  // What is still under way gets a second to come back.
  if (now > endsAt + 1000 || (now > endsAt && waiting.length === 0 && idle.length >= connections)) finish();
}, TICK_MS);

function finish() {
  clearInterval(timer);
  for (const connection of all) connection.end();
  const sorted = Float64Array.from(latencies).sort();
  const at = (quantile) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? 0;
  const result = { requests: sorted.length, failures, seconds, p50Ms: at(0.5), p99Ms: at(0.99), status };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
}
