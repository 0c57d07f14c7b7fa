import {
  apiKey,
  type Caller,
  createGateway,
  drive,
  type Exchange,
  type Gateway,
  type GatewayOptions,
  type MemoryAuditSink,
  memoryAuditSink,
  memoryRevocationStore,
  type Plan,
  type Refusal,
  type RequestHead,
  type ResourceDefinition,
  type RevocationStore,
  Secret,
  type Transport,
  type TransportHandler,
} from '@caracal/core';
import { createTestIssuer } from '@caracal/testkit';

/** The upstream's own key: must be seen by the upstream alone. */
export const UPSTREAM_KEY = 'upstream-key-canary-7c1f';
export const RESOURCE = 'resource://billing-api';

/** A fake transport: keeps every plan, and lets the test play the upstream. */
export class FakeTransport implements Transport<string> {
  readonly plans: Plan[] = [];
  /** Plays the upstream for one attempt. Default: 200 with a body of four bytes. */
  upstream: (handler: TransportHandler) => void = (handler) => {
    handler.onStart(false);
    handler.onSent();
    handler.onHead(200, ['Content-Length', '4']);
    handler.onChunk(new Uint8Array(4));
    handler.onEnd();
  };

  dispatch(plan: Plan, _body: string | null, handler: TransportHandler) {
    this.plans.push(plan);
    let aborted = false;
    queueMicrotask(() => {
      if (!aborted) this.upstream(handler);
    });
    return {
      resume: () => {},
      abort: () => {
        aborted = true;
      },
    };
  }

  async close(): Promise<void> {}
}

/** What a caller was answered. */
export interface FakeAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
  readonly error: string | undefined;
  readonly cut: boolean;
}

export interface FakeWorld {
  readonly gateway: Gateway;
  readonly transport: FakeTransport;
  readonly audit: MemoryAuditSink;
  readonly revocations: RevocationStore;
  readonly issuer: Awaited<ReturnType<typeof createTestIssuer>>;
  mint(claims?: Record<string, unknown>): Promise<string>;
  head(mandate: string | undefined, changes?: Partial<RequestHead> & { extra?: string[] }): RequestHead;
  send(head: RequestHead, body?: string): Promise<FakeAnswer>;
}

/** A gateway with no socket anywhere: heads go in, a fake transport plays the upstream. */
export async function fakeWorld(
  resource: Partial<ResourceDefinition> = {},
  options: Partial<GatewayOptions> = {},
): Promise<FakeWorld> {
  const issuer = await createTestIssuer();
  const transport = new FakeTransport();
  const audit = memoryAuditSink();
  const revocations = memoryRevocationStore();
  const gateway = createGateway({
    issuers: [{ issuer: issuer.issuer, keys: issuer.jwks().keys }],
    resources: [
      {
        identifier: RESOURCE,
        upstreamUrl: 'https://billing.example/base',
        scopes: ['billing:read', 'billing:submit'],
        operations: [
          { method: 'GET', path: '/v1/invoices/{id}', scopes: ['billing:read'] },
          { method: 'POST', path: '/v1/invoices', scopes: ['billing:submit'] },
        ],
        provider: apiKey({
          id: 'provider://billing',
          headerName: 'X-Api-Key',
          secret: new Secret(UPSTREAM_KEY),
          origins: ['https://billing.example'],
        }),
        ...resource,
      },
    ],
    revocations,
    audit: { sink: audit },
    onFault: () => {},
    ...options,
  });
  return {
    gateway,
    transport,
    audit,
    revocations,
    issuer,
    mint: (claims = {}) => issuer.mint({ scope: 'billing:read billing:submit', target: [RESOURCE], ...claims }),
    head: (mandate, { extra = [], ...changes } = {}) => ({
      method: 'GET',
      target: '/v1/invoices/42',
      headers: [
        ...['Host', 'gateway.example', 'X-Caracal-Resource', RESOURCE],
        ...(mandate === undefined ? [] : ['Authorization', `Bearer ${mandate}`]),
        ...extra,
      ],
      httpVersion: '1.1',
      peer: { address: '192.0.2.7' },
      upgrade: false,
      fidelity: 'raw',
      ...changes,
    }),
    send: async (head, body) => carry(await gateway.admit(head), transport, body ?? null),
  };
}

function carry(verdict: Refusal | Exchange, transport: FakeTransport, body: string | null): Promise<FakeAnswer> {
  if (verdict.kind === 'refusal') return Promise.resolve(answered(verdict));
  return new Promise((resolve) => {
    let head: { status: number; headers: string[] } | undefined;
    let text = '';
    const caller: Caller<string> = {
      body,
      interim: () => {},
      respond: (status, headers) => {
        head = { status, headers };
      },
      write: (chunk) => {
        text += 'x'.repeat(chunk.length);
        return true;
      },
      end: () => resolve({ ...head!, body: text, error: undefined, cut: false }),
      refuse: (refusal) => resolve(answered(refusal)),
      destroy: () => resolve({ ...(head ?? { status: 0, headers: [] }), body: text, error: undefined, cut: true }),
    };
    drive(verdict, transport, caller);
  });
}

function answered({ status, headers, body, code }: Refusal): FakeAnswer {
  return { status, headers, body, error: code, cut: false };
}
