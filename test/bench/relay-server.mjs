import { createServer } from 'node:http';
import { Pool } from 'undici';

/** The least a relay on Node can do: node:http in, undici's dispatch out, raw header lists, no rule applied. */
export function relayServer(upstreamUrl) {
  const pool = new Pool(upstreamUrl, { pipelining: 1 });
  return createServer((req, res) => {
    const body = 'content-length' in req.headers || 'transfer-encoding' in req.headers ? req : null;
    pool.dispatch({ method: req.method, path: req.url, headers: req.rawHeaders, body }, new Relay(res));
  });
}

class Relay {
  #res;

  constructor(res) {
    this.#res = res;
  }

  onConnect() {}

  onHeaders(status, headers, resume) {
    if (status < 200) return true;
    this.#res.on('drain', resume);
    const list = headers.map((text) => text.latin1Slice());
    this.#res.writeHead(status, list);
    return true;
  }

  onData(chunk) {
    return this.#res.write(chunk);
  }

  onComplete() {
    this.#res.end();
  }

  onError() {
    this.#res.destroy();
  }
}
