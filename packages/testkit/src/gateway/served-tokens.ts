import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { TokenService } from '@caracal/sts';

/** Answers a request of `node:http` with the token service. */
export async function answerWithTokens(
  service: TokenService,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const hasBody = incoming.method !== 'GET' && incoming.method !== 'HEAD';
  const request = new Request(service.issuer + incoming.url, {
    method: incoming.method ?? 'GET',
    headers: incoming.headers as Record<string, string>,
    ...(hasBody ? { body: Readable.toWeb(incoming), duplex: 'half' } : undefined),
  } as RequestInit);
  const response = await service.handler(request, { peer: incoming.socket.remoteAddress ?? 'unknown' });
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}
