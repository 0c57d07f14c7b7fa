import { CaracalError, type ConnectionKey } from '@caracal/core';
import {
  ConnectInputError,
  type ConnectionStatus,
  type ConnectService,
  DEFAULT_INVITATION_SECONDS,
  type ListedConnection,
} from '@caracal/oauth';
import type { Context, Hono } from 'hono';
import { causeName } from '../log/fault-log.js';
import type { Log } from '../log/log.js';
import { type ConnectionQuery, connectionOf, connectionQuery, invitationOf } from './connection-request.js';
import { ndjsonResponse } from './ndjson.js';

/** What is needed of the server. */
export interface ConnectionsAdmin {
  connect(): ConnectService | undefined;
  /** Where nothing is said. */
  zone(): string;
}

/** Connections of people: an address to connect at, who is connected, disconnecting. */
export function connectionEndpoints(app: Hono, admin: ConnectionsAdmin, log: Log): void {
  const answer = async <Asked>(
    c: Context,
    asked: Asked | string,
    run: (service: ConnectService, asked: Asked) => Promise<Response>,
  ): Promise<Response> => {
    const service = admin.connect();
    if (service === undefined) return failure(c, 404, 'not_found', 'No provider here is one that people connect to.');
    if (typeof asked === 'string') return failure(c, 400, 'invalid_request', asked);
    try {
      return await run(service, asked);
    } catch (cause) {
      if (cause instanceof ConnectInputError) return failure(c, 400, 'invalid_request', cause.message);
      if (isMistake(cause)) throw cause;
      log({ level: 'error', event: 'connections_failed', cause: causeName(cause) });
      return failure(c, 503, 'connections_unavailable', 'The connections cannot be had; try again.');
    }
  };
  app.post('/v1/connections/invitations', async (c) =>
    answer(c, invitationOf(await json(c), admin.zone()), async (service, { key, ttlSeconds }) => {
      const uri = await service.invite({ ...key, ...(ttlSeconds !== undefined && { ttlSeconds }) });
      // Whoever opens it connects an account without signing in: who may is worth a line.
      log({ level: 'info', event: 'connection_invited', ...toldKey(key) });
      return c.json({ connect_uri: uri, expires_in: ttlSeconds ?? DEFAULT_INVITATION_SECONDS });
    }),
  );
  app.get('/v1/connections', (c) =>
    answer(c, connectionQuery(new URL(c.req.url).searchParams, admin.zone()), async (service, query) => {
      const listed = listedBy(service, query)[Symbol.asyncIterator]();
      // What fails at once is still an answer of its own.
      const first = await listed.next();
      return ndjsonResponse(told(first, listed, query.limit));
    }),
  );
  app.post('/v1/connections/disconnect', async (c) =>
    answer(c, connectionOf(await json(c), admin.zone()), async (service, key) => c.json(await service.disconnect(key))),
  );
}

async function* listedBy(service: ConnectService, { key, matches }: ConnectionQuery): AsyncGenerator<ListedConnection> {
  if (key === undefined) {
    yield* service.list(matches);
    return;
  }
  const status = await service.status(key);
  if (status !== undefined) yield { key, status };
}

async function* told(
  first: IteratorResult<ListedConnection>,
  rest: AsyncIterator<ListedConnection>,
  limit: number,
): AsyncGenerator<unknown> {
  try {
    let left = limit;
    for (let next = first; next.done !== true; next = await rest.next()) {
      yield { ...toldKey(next.value.key), ...toldStatus(next.value.status) };
      left -= 1;
      if (left === 0) return;
    }
  } finally {
    await rest.return?.();
  }
}

function toldKey({ zoneId, providerId, owner }: ConnectionKey) {
  return { zone: zoneId, provider: providerId, ...(owner === 'shared' ? { shared: true } : owner) };
}

function toldStatus(status: ConnectionStatus | undefined) {
  return status ?? { state: 'provider_unknown' };
}

/** A bug of ours shows as one: none of these says anything of a store. */
function isMistake(cause: unknown): boolean {
  if (cause instanceof CaracalError) return false;
  return [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => cause instanceof kind);
}

/** The body as JSON; `undefined` where it is none, which every reader refuses. */
async function json(c: Context): Promise<unknown> {
  return c.req.json().catch(() => undefined);
}

function failure(c: Context, status: 400 | 404 | 503, error: string, description: string): Response {
  return c.json({ error, error_description: description }, status);
}
