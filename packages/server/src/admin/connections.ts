import type { ConnectionKey } from '@caracal/core';
import type { ConnectService } from '@caracal/oauth';
import type { Context, Hono } from 'hono';

/** What is needed of the server. */
export interface ConnectionsAdmin {
  connect(): ConnectService | undefined;
  /** Where nothing is said. */
  zone(): string;
}

interface Named {
  readonly key: ConnectionKey;
  readonly ttlSeconds: number | undefined;
}

/** Connections of people: an address to connect at, status, disconnecting. */
export function connectionEndpoints(app: Hono, admin: ConnectionsAdmin): void {
  const answer = async (
    c: Context,
    members: unknown,
    run: (service: ConnectService, named: Named) => Promise<Response>,
  ): Promise<Response> => {
    const service = admin.connect();
    if (service === undefined) return failure(c, 404, 'not_found', 'No provider here is one that people connect to.');
    const named = namedConnection(members, admin.zone());
    if (typeof named === 'string') return failure(c, 400, 'invalid_request', named);
    try {
      return await run(service, named);
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      return failure(c, 400, 'invalid_request', cause.message);
    }
  };
  app.post('/v1/connections/invitations', async (c) =>
    answer(c, await c.req.json().catch(() => undefined), async (service, { key, ttlSeconds }) => {
      const uri = await service.invite({ ...key, ...(ttlSeconds !== undefined && { ttlSeconds }) });
      return c.json({ connect_uri: uri });
    }),
  );
  app.get('/v1/connections', (c) =>
    answer(c, c.req.query(), async (service, { key }) => {
      const status = await service.status(key);
      return status === undefined ? failure(c, 404, 'not_connected', 'No account is connected.') : c.json(status);
    }),
  );
  app.post('/v1/connections/disconnect', async (c) =>
    answer(c, await c.req.json().catch(() => undefined), async (service, { key }) =>
      c.json({ result: await service.disconnect(key) }),
    ),
  );
}

function namedConnection(members: unknown, defaultZone: string): Named | string {
  const {
    zone = defaultZone,
    provider,
    issuer,
    subject,
    shared,
    ttlSeconds,
  } = (members ?? {}) as Record<string, unknown>;
  if (typeof zone !== 'string' || typeof provider !== 'string')
    return 'Give provider, and zone where it is another one.';
  const seconds = ttlSeconds === undefined ? undefined : Number(ttlSeconds);
  if (shared === true || shared === 'true') {
    if (issuer !== undefined || subject !== undefined) return 'Give shared, or issuer and subject.';
    return { key: { zoneId: zone, providerId: provider, owner: 'shared' }, ttlSeconds: seconds };
  }
  if (typeof issuer !== 'string' || typeof subject !== 'string') return 'Give issuer and subject, or shared.';
  return { key: { zoneId: zone, providerId: provider, owner: { issuer, subject } }, ttlSeconds: seconds };
}

function failure(c: Context, status: 400 | 404, error: string, description: string): Response {
  return c.json({ error, error_description: description }, status);
}
