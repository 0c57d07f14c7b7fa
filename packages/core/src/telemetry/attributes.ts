import type { Attributes } from '@opentelemetry/api';
import type { PartlyAdmitted } from '../admission.js';
import type { Settlement } from '../exchange.js';
import type { Upstream } from '../resolve/resource.js';
import { AttributeSets } from './attribute-sets.js';
import { byLabels, type Labels } from './labels.js';
import type { RequestEnd } from './telemetry.js';

type EndFacts = {
  readonly method: string;
  readonly status: number | undefined;
  readonly kind: string | undefined;
  readonly outcome: string;
  readonly error: string | undefined;
};

/** Attributes of a request when it has ended, for its span and its duration: from bounded sets, see {@link byLabels}. */
export function endAttributes(): (method: string, admission: PartlyAdmitted, end: RequestEnd) => Attributes {
  const setsOf = byLabels((labels) => new AttributeSets<EndFacts>((facts) => endSet(labels, facts), sameEnd));
  return (method, { resource, operation }, { status, code, settlement }) =>
    setsOf(resource?.identifier, operation?.template).of({
      method,
      status,
      kind: resource?.provider.kind,
      outcome: settlement?.outcome ?? 'refused',
      error: code ?? errorStatus(status, 500),
    });
}

function endSet({ resource, template }: Labels, { method, status, kind, outcome, error }: EndFacts): Attributes {
  return {
    'http.request.method': method,
    'url.scheme': 'http',
    'http.response.status_code': status,
    'http.route': template,
    'caracal.resource': resource,
    'caracal.provider.kind': kind,
    'caracal.outcome': outcome,
    'error.type': error,
  };
}

function sameEnd(a: EndFacts, b: EndFacts): boolean {
  return (
    a.method === b.method &&
    a.status === b.status &&
    a.kind === b.kind &&
    a.outcome === b.outcome &&
    a.error === b.error
  );
}

type CallFacts = {
  readonly method: string;
  readonly status: number | undefined;
  readonly error: string | undefined;
};

/** Attributes of calls of one upstream. */
interface CallAttributes {
  begun(method: string): Attributes;
  ended(method: string, settlement: Settlement): Attributes;
}

/** Attributes of calls, for their spans and their durations; kept with the upstream they go to. */
export function callAttributes(): (upstream: Upstream | undefined) => CallAttributes {
  const known = new WeakMap<Upstream, CallAttributes>();
  const nowhere = callsOf({});
  return (upstream) => {
    if (upstream === undefined) return nowhere;
    let calls = known.get(upstream);
    if (calls === undefined) {
      calls = callsOf(serverAddress(upstream));
      known.set(upstream, calls);
    }
    return calls;
  };
}

function callsOf(address: Attributes): CallAttributes {
  const sets = new AttributeSets<CallFacts>(
    ({ method, status, error }) => ({
      'http.request.method': method,
      ...address,
      'http.response.status_code': status,
      'error.type': error,
    }),
    (a, b) => a.method === b.method && a.status === b.status && a.error === b.error,
  );
  return {
    begun: (method) => sets.of({ method, status: undefined, error: undefined }),
    ended: (method, { upstreamStatus: status, outcome }) =>
      sets.of({ method, status, error: status === undefined ? outcome : errorStatus(status, 400) }),
  };
}

function errorStatus(status: number | undefined, from: number): string | undefined {
  return status !== undefined && status >= from ? String(status) : undefined;
}

/** @see OpenTelemetry HTTP semantic conventions: the port is required, the default one of a scheme too */
function serverAddress({ origin }: Upstream): Attributes {
  const { protocol, hostname, port } = new URL(origin);
  const byDefault = protocol === 'https:' ? 443 : 80;
  return { 'server.address': hostname, 'server.port': port === '' ? byDefault : Number(port) };
}
