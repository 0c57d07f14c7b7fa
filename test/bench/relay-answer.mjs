/** Sends an upstream's answer on as it comes. */
export class RelayAnswer {
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

/** The request as undici's dispatch takes it, with these headers. */
export function relayed(req, headers) {
  const body = 'content-length' in req.headers || 'transfer-encoding' in req.headers ? req : null;
  return { method: req.method, path: req.url, headers, body };
}
