import type { Anchor, RequestHead } from '@caracal/core';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Generations } from '../generation/generations.js';
import { causeName } from '../log/fault-log.js';
import type { Log } from '../log/log.js';
import type { MetricRegistry } from '../metrics/metric-registry.js';
import { METRICS_CONTENT_TYPE } from '../metrics/metric-registry.js';
import type { ReloadResult } from '../reload/reload-result.js';
import type { ServerStatus } from '../server-status.js';
import { changeAnchors, isNotReplicated, NOT_REPLICATED } from '../state/change-anchors.js';
import type { ServerState } from '../state/open-state.js';
import { type AdminVerdict, authenticateAdmin } from './admin-authentication.js';
import { auditEndpoints } from './audit-endpoints.js';
import { type ConnectionsAdmin, connectionEndpoints } from './connections.js';
import { type AnchorDefaults, anchorsOf } from './revocation-request.js';

/** What the admin endpoint tells of and acts on. */
export interface AdminParts {
  readonly generations: Generations;
  readonly state: ServerState;
  readonly registry: MetricRegistry;
  readonly log: Log;
  status(): ServerStatus;
  /** Why requests would be refused now; empty where they are not. */
  notReady(): readonly string[];
  reload(): Promise<ReloadResult>;
  anchorDefaults(): AnchorDefaults;
  readonly connections: ConnectionsAdmin;
  /** What serves beside this process. */
  readonly workers: { restart(): Promise<number>; tellKeys(): Promise<void> } | undefined;
  /** Ends streams when the process does. */
  readonly closing: AbortSignal;
}

/** Largest body of a request, bytes. */
const MAX_BODY_BYTES = 64 * 1024;

/** The admin endpoint: health is open, everything else needs the token. */
export function adminApp(parts: AdminParts): Hono {
  const app = new Hono();
  app.onError((cause, c) => {
    parts.log({ level: 'error', event: 'admin_fault', cause: causeName(cause) });
    return failure(c, 500, 'internal_error', 'The server failed.');
  });
  app.notFound((c) => failure(c, 404, 'not_found', 'There is no such endpoint.'));
  app.use(async (c, next) => {
    await next();
    c.res.headers.set('X-Content-Type-Options', 'nosniff');
    if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store');
  });
  health(app, parts);
  app.use(async (c, next) => {
    const verdict = await verdictOn(c, parts);
    if (verdict === 'ok') return next();
    if (verdict === 'unavailable') return failure(c, 503, 'unavailable', 'The admin token cannot be had.');
    c.header('WWW-Authenticate', 'Bearer realm="caracal admin"');
    return failure(c, 401, 'unauthorized', 'Give the admin token as a bearer token.');
  });
  app.use(
    bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => failure(c, 413, 'too_large', 'The body is too large.') }),
  );
  operation(app, parts);
  revocation(app, parts);
  auditEndpoints(app, {
    journal: parts.state.journal,
    shipped: parts.state.postgres?.evidence,
    log: parts.log,
    closing: parts.closing,
    isAuthenticated: async (c) => (await verdictOn(c, parts)) === 'ok',
  });
  connectionEndpoints(app, parts.connections, parts.log);
  return app;
}

function health(app: Hono, { notReady }: AdminParts): void {
  app.get('/livez', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', (c) => {
    const reasons = notReady();
    return reasons.length === 0
      ? c.json({ status: 'ready', reasons })
      : c.json({ status: 'not_ready', reasons }, 503, { 'Retry-After': '1' });
  });
}

function operation(app: Hono, { generations, registry, log, status, reload, workers }: AdminParts): void {
  app.get('/metrics', (c) => c.body(registry.text(), 200, { 'Content-Type': METRICS_CONTENT_TYPE }));
  app.get('/v1/status', (c) => c.json(status()));
  app.post('/v1/reload', async (c) => {
    const result = await reload();
    return c.json(result, result.ok ? 200 : 422);
  });
  app.post('/v1/workers/restart', async (c) => {
    if (workers === undefined) return failure(c, 404, 'not_found', 'There are no workers here.');
    const restarted = await workers.restart();
    log({ level: 'info', event: 'workers_restarted', workers: restarted });
    return c.json({ restarted });
  });
  app.post('/v1/explain', async (c) => {
    const head = requestHeadOf(await json(c));
    if (typeof head === 'string') return failure(c, 400, 'invalid_request', head);
    return c.json(await generations.explain(head));
  });
  app.post('/v1/token-service/rotate-keys', async (c) => {
    const { tokens } = generations.current;
    if (tokens === undefined) return failure(c, 404, 'not_found', 'There is no token service here.');
    // A body that cannot be read is none of the two: after a theft it must not keep the stolen key.
    const body = (await c.req.text()) === '' ? {} : await json(c);
    const { keepPrevious = true, ...unknown } = (body ?? { unreadable: true }) as Record<string, unknown>;
    const isObject = typeof body === 'object' && !Array.isArray(body);
    if (!isObject || typeof keepPrevious !== 'boolean' || Object.keys(unknown).length > 0) {
      return failure(c, 400, 'invalid_request', 'The body is empty, or {"keepPrevious":false} after a theft.');
    }
    await tokens.rotate({ keepPrevious });
    await workers?.tellKeys();
    log({ level: 'info', event: 'keys_rotated', keepPrevious });
    return c.json({ keys: tokens.jwks().keys.length });
  });
}

function revocation(app: Hono, { state, log, anchorDefaults }: AdminParts): void {
  const change = (path: string, told: string, apply: (anchor: Anchor) => Promise<void>) =>
    app.post(path, async (c) => {
      const anchors = anchorsOf(await json(c), anchorDefaults());
      if (typeof anchors === 'string') return failure(c, 400, 'invalid_request', anchors);
      try {
        await changeAnchors(anchors, apply);
      } catch (cause) {
        log({ level: 'error', event: 'revocation_failed', cause: causeName(cause) });
        if (!isNotReplicated(cause)) {
          return failure(c, 503, 'revocation_unavailable', 'Not every anchor is stored; send it again.');
        }
        const missing = 'not confirmed by as many replicas as stores.redis.waitReplicas says';
        return failure(c, 503, NOT_REPLICATED, `In effect and written, but ${missing}; send it again.`);
      }
      const changed = anchors.map(({ zoneId, issuer, kind, id }) => ({ zone: zoneId, issuer, kind, id }));
      for (const anchor of changed) log({ level: 'info', event: told, ...anchor });
      return c.json({ [told]: changed });
    });
  change('/v1/revocations', 'revoked', (anchor) => state.revocations.revoke(anchor));
  change('/v1/revocations/lift', 'lifted', (anchor) => state.revocations.lift(anchor));
}

function verdictOn(c: Context, { generations }: AdminParts): Promise<AdminVerdict> {
  return authenticateAdmin(c.req.header('authorization'), () => generations.current.adminToken());
}

function failure(c: Context, status: 400 | 401 | 404 | 413 | 500 | 503, error: string, description: string): Response {
  return c.json({ error, error_description: description }, status);
}

/** The body as JSON; `undefined` where it is none, which every reader refuses. */
async function json(c: Context): Promise<unknown> {
  try {
    return await c.req.json();
  } catch {
    return undefined; // said by whoever reads it
  }
}

function requestHeadOf(body: unknown): RequestHead | string {
  const { method, target, headers, peer = '' } = (body ?? {}) as Record<string, unknown>;
  const inOrder =
    typeof method === 'string' &&
    typeof target === 'string' &&
    typeof peer === 'string' &&
    Array.isArray(headers) &&
    headers.length % 2 === 0 &&
    headers.every((text) => typeof text === 'string');
  if (!inOrder) return 'The body is {"method","target","headers":[name,value,...]}.';
  return { method, target, headers, httpVersion: '1.1', peer: { address: peer }, upgrade: false, fidelity: 'raw' };
}
