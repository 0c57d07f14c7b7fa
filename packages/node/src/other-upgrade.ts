import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/**
 * Serves a request that asks for another protocol than the gateway's own as if it had not asked (RFC 9110 section 7.8):
 * clients put `Upgrade: h2c` on every request over plain TCP. Node 22 and later ask first and do not come here; before, one
 * `upgrade` listener gets them all, with the parser gone. So the request goes back to the head of its socket without that
 * header, and the socket to its server, which parses it anew.
 */
export function serveUnupgraded(server: Server, req: IncomingMessage, socket: Socket, behind: Uint8Array): void {
  socket.unshift(Buffer.concat([Buffer.from(headWithoutUpgrade(req), 'latin1'), behind]));
  server.emit(server instanceof TlsServer ? 'secureConnection' : 'connection', socket);
}

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.toLowerCase() !== 'upgrade') head += `${name}: ${rawHeaders[index + 1]}\r\n`;
  }
  return `${head}\r\n`;
}
