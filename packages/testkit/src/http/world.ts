import type { TestIssuer } from '../issuer.js';
import type { SubjectConfig, SubjectIssuer, SubjectProvider, SubjectResource } from '../subject.js';

/** The gateways of the suite: as most are run, and one with nothing that is optional. */
export type Variant = 'main' | 'bare';

/** The issuers of the suite. All are trusted but `forger`, who poses as `main`, and `stranger`. */
export type IssuerName = 'main' | 'eddsa' | 'rs256' | 'rfc9068' | 'elsewhere' | 'forger' | 'stranger';

/** Where the variant `main` says it is reached. */
export const PUBLIC_URL = 'https://gateway.test';

/** The one origin that the variant `main` answers browsers of. */
export const CORS_ORIGIN = 'https://app.test';

/** The credentials of the upstreams. Each must be seen by its upstream alone. */
export const CREDENTIALS = Object.freeze({
  header: 'canary-header-key+/=%&1',
  scheme: 'canary-scheme-key-2',
  query: 'canary-query-key+/=&% 3',
  bearer: 'canary-bearer-token-4',
  bearerHeader: 'canary-bearer-header-5',
  basic: 'canary-pass:wörd-6',
});

/** Where the upstreams are: origins. `closed` refuses connections. */
export interface UpstreamOrigins {
  readonly main: string;
  readonly stale: string;
  readonly fresh: string;
  readonly closed: string;
}

const NONE: SubjectProvider = { id: 'provider://none', kind: 'none' };

/** The configuration of a variant. */
export function suiteConfig(
  variant: Variant,
  upstreams: UpstreamOrigins,
  issuers: Readonly<Record<IssuerName, TestIssuer>>,
): SubjectConfig {
  const trusted = [issuers.main, issuers.eddsa, issuers.rs256, issuers.rfc9068, issuers.elsewhere].map(subjectIssuer);
  const resources = [...plain(upstreams), ...webSockets(upstreams), ...guarded(upstreams), ...credentialed(upstreams)];
  const common = { issuers: trusted, resources };
  if (variant === 'bare') return { ...common, durability: 'buffered' };
  return { ...common, durability: 'written', publicUrl: PUBLIC_URL, cors: { origins: [CORS_ORIGIN] } };
}

function subjectIssuer(issuer: TestIssuer): SubjectIssuer {
  return {
    issuer: issuer.issuer,
    zone: issuer.zoneId,
    profile: issuer.profile,
    algorithms: issuer.algorithm === 'RS256' ? ['RS256'] : ['ES256', 'EdDSA'],
    jwks: issuer.jwks(),
  };
}

function resource(name: string, upstreamUrl: string, rest: Partial<SubjectResource> = {}): SubjectResource {
  return { identifier: `resource://${name}`, upstreamUrl, provider: NONE, allowPrivateNetwork: true, ...rest };
}

function plain({ main, stale, fresh, closed }: UpstreamOrigins): SubjectResource[] {
  return [
    resource('echo', `${main}/base`),
    resource('root', main),
    resource('stale', stale),
    resource('fresh', fresh),
    resource('closed', closed),
    resource('private', main, { allowPrivateNetwork: false }),
    resource('metadata', 'http://169.254.169.254/latest'),
    resource('elsewhere', main, { zone: 'elsewhere' }),
    resource('mounted', `${main}/inside`, { mount: { pathPrefix: '/mnt' } }),
    resource('mounted-deep', `${main}/deep`, { mount: { pathPrefix: '/mnt/deep' } }),
    resource('mounted-host', `${main}/hosted`, { mount: { host: 'mounted.test' } }),
    resource('cookies', main, { passCookies: true, mount: { host: 'cookies.test' } }),
    resource('block', `${main}/base`, { redirects: 'block' }),
    resource('x-forwarded', main, { forwarded: 'x-forwarded' }),
    resource('forwarded', main, { forwarded: 'forwarded' }),
    resource('small', main, { maxBodyBytes: 1_000 }),
    resource('impatient', main, { headersTimeoutMs: 200, idleTimeoutMs: 5_000 }),
    resource('idle', main, { idleTimeoutMs: 200, streamIdleTimeoutMs: 30_000 }),
    resource('stream-idle', main, { streamIdleTimeoutMs: 200 }),
    resource('finish', main, { onExpiry: 'finish' }),
  ];
}

function webSockets({ main, closed }: UpstreamOrigins): SubjectResource[] {
  const open = { websocket: true } as const;
  return [
    resource('ws', `${main}/base`, open),
    resource('ws-closed', closed, open),
    resource('ws-finish', main, { ...open, onExpiry: 'finish' }),
    resource('ws-idle', main, { ...open, streamIdleTimeoutMs: 200 }),
    resource('ws-impatient', main, { ...open, headersTimeoutMs: 200 }),
    resource('ws-scoped', main, { ...open, scopes: ['socket'] }),
    resource('ws-once', main, { ...open, mandateReuse: 'single_use' }),
    resource('ws-key', main, {
      ...open,
      provider: {
        id: 'provider://ws-key',
        kind: 'api_key',
        headerName: 'X-Api-Key',
        secret: { plain: CREDENTIALS.header },
        origins: [main],
      },
    }),
  ];
}

function guarded({ main }: UpstreamOrigins): SubjectResource[] {
  return [
    resource('billing', `${main}/base`, {
      scopes: ['billing:read', 'billing:submit'],
      operations: [
        { method: 'GET', path: '/v1/invoices/{id}', scopes: ['billing:read'], name: 'readInvoice' },
        { method: 'GET', path: '/v1/invoices/latest', scopes: ['billing:submit'] },
        { method: 'POST', path: '/v1/invoices', scopes: ['billing:submit'] },
        { method: 'GET', path: '/v1/files/**', scopes: ['billing:read'] },
        { method: 'DELETE', path: '/v1/all', scopes: ['billing:read', 'billing:submit'] },
        { method: 'PROPFIND', path: '/v1/files/**', scopes: ['billing:read'] },
      ],
    }),
    resource('lenient', main, {
      scopes: ['billing:read', 'billing:submit'],
      operations: [{ method: 'GET', path: '/declared', scopes: ['billing:read'] }],
      operationEnforcement: 'any',
    }),
    resource('scoped', main, { scopes: ['a', 'b'] }),
    resource('once', main, { mandateReuse: 'single_use', scopes: ['once'] }),
    resource('session', main, { require: { session: true } }),
    resource('delegation', main, { require: { delegation: true } }),
    resource('one-hop', main, { require: { maxHops: 1 } }),
    resource('chain', main, { require: { chainContains: ['planner', 'worker'] } }),
    resource('rated', main, { rateLimit: { requests: 2, windowSeconds: 60 } }),
  ];
}

function credentialed({ main }: UpstreamOrigins): SubjectResource[] {
  const with_ = (name: string, rest: Omit<SubjectProvider, 'id' | 'origins'>): SubjectResource =>
    resource(name, main, { provider: { id: `provider://${name}`, origins: [main], ...rest } });
  const secret = (plain: string): { secret: { plain: string } } => ({ secret: { plain } });
  return [
    with_('key-header', { kind: 'api_key', headerName: 'X-Api-Key', ...secret(CREDENTIALS.header) }),
    with_('key-scheme', { kind: 'api_key', headerName: 'X-Auth', scheme: 'Token', ...secret(CREDENTIALS.scheme) }),
    with_('key-query', { kind: 'api_key', queryParam: 'api_key', ...secret(CREDENTIALS.query) }),
    with_('bearer', { kind: 'bearer_token', ...secret(CREDENTIALS.bearer) }),
    with_('bearer-header', {
      kind: 'bearer_token',
      headerName: 'X-Token',
      scheme: 'Key',
      ...secret(CREDENTIALS.bearerHeader),
    }),
    with_('basic', { kind: 'http_basic', username: 'caracal', ...secret(CREDENTIALS.basic) }),
    with_('mandate', { kind: 'caracal_mandate' }),
  ];
}
