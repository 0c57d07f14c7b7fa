import type { startFirstGateway } from '../first-gateway.js';

/** A running example gateway. */
export type FirstGateway = Awaited<ReturnType<typeof startFirstGateway>>;

/** One readiness check and what came of it. */
export interface ReadinessRow {
  readonly check: string;
  readonly expected: string;
  readonly answered: string;
  readonly requestId: string;
  /** What was not as it should be; `undefined` where all was. */
  readonly fault: string | undefined;
}

interface Call {
  readonly mandate: string | undefined;
  readonly resource: string;
}

interface Check {
  readonly name: string;
  readonly expected: string;
  readonly reachesUpstream: boolean;
  call(gateway: FirstGateway): Promise<Call>;
}

const BILLING = 'resource://billing-api';
const READ = { scope: 'billing:read', target: [BILLING] };

const CHECKS: readonly Check[] = [
  {
    name: 'allowed request',
    expected: '200',
    reachesUpstream: true,
    call: async ({ issuer }) => ({ mandate: await issuer.mint(READ), resource: BILLING }),
  },
  {
    name: 'missing mandate',
    expected: '401 missing_token',
    reachesUpstream: false,
    call: async () => ({ mandate: undefined, resource: BILLING }),
  },
  {
    name: 'missing scope',
    expected: '403 insufficient_scope',
    reachesUpstream: false,
    call: async ({ issuer }) => ({
      mandate: await issuer.mint({ ...READ, scope: 'billing:submit' }),
      resource: BILLING,
    }),
  },
  {
    name: 'wrong resource',
    expected: '403 resource_not_permitted',
    reachesUpstream: false,
    call: async ({ issuer }) => ({
      mandate: await issuer.mint({ ...READ, target: ['resource://payroll-api'] }),
      resource: BILLING,
    }),
  },
  {
    name: 'revoked session',
    expected: '401 session_revoked',
    reachesUpstream: false,
    call: async ({ issuer, revocations }) => {
      const sid = `session-${crypto.randomUUID()}`;
      const mandate = await issuer.mint({ ...READ, sid });
      await revocations.revoke({ zoneId: issuer.zoneId, issuer: issuer.issuer, kind: 'sid', id: sid });
      return { mandate, resource: BILLING };
    },
  },
];

/** Runs the five readiness checks, one after the other, each with a real call. */
export async function* readinessChecks(gateway: FirstGateway): AsyncGenerator<ReadinessRow> {
  for (const check of CHECKS) yield await run(check, gateway);
}

async function run(check: Check, gateway: FirstGateway): Promise<ReadinessRow> {
  const { mandate, resource } = await check.call(gateway);
  const seenBefore = gateway.upstream.seen.length;
  const response = await fetch(`${gateway.url}/v1/invoices/42`, {
    headers: {
      'X-Caracal-Resource': resource,
      ...(mandate === undefined ? {} : { Authorization: `Bearer ${mandate}` }),
    },
  });
  await response.arrayBuffer();
  const code = response.headers.get('x-caracal-error');
  const answered = code === null ? `${response.status}` : `${response.status} ${code}`;
  const requestId = response.headers.get('x-caracal-request-id') ?? '';
  const row = { check: check.name, expected: check.expected, answered, requestId };
  return {
    ...row,
    fault: await faultOf(check, answered, requestId, gateway, gateway.upstream.seen.slice(seenBefore), mandate),
  };
}

async function faultOf(
  check: Check,
  answered: string,
  requestId: string,
  gateway: FirstGateway,
  seen: FirstGateway['upstream']['seen'],
  mandate: string | undefined,
): Promise<string | undefined> {
  if (answered !== check.expected) return 'another answer than expected';
  if (seen.length !== (check.reachesUpstream ? 1 : 0)) return `the upstream saw ${seen.length} requests`;
  if (mandate !== undefined && JSON.stringify(seen).includes(mandate)) return 'the upstream saw the mandate';
  const expected = check.reachesUpstream ? 'request.authorized,request.completed' : 'request.denied';
  const evidence = await evidenceOf(gateway, requestId, expected);
  return evidence === expected ? undefined : `the evidence is ${evidence || 'missing'}`;
}

const EVIDENCE_TIMEOUT_MS = 500;

/** Types of the records of a request. The last one is written just after the answer: it is waited for. */
async function evidenceOf({ journal }: FirstGateway, requestId: string, expected: string): Promise<string> {
  const deadline = Date.now() + EVIDENCE_TIMEOUT_MS;
  for (;;) {
    const { records } = await journal.trace(requestId);
    const types = records.map(({ record }) => record.type).join();
    if (types === expected || Date.now() > deadline) return types;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
