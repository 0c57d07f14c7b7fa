import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Sends `100 Continue` when somebody begins to read the body, and not where the request is answered without that: so that
 * whatever handler an application chooses has its say first. @see RFC 9110 section 10.1.1
 */
export function continueOnRead(req: IncomingMessage, res: ServerResponse): void {
  const read = req._read;
  req._read = (size) => {
    req._read = read;
    if (!res.headersSent) res.writeContinue();
    read.call(req, size);
  };
}
