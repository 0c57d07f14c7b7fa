import {
  type EndReason,
  type Exchange,
  type Follower,
  type Gateway,
  malformed,
  type Plan,
  type Refusal,
  type RequestHead,
  type Settlement,
} from '@caracal/core';

/** What the fake decides about a head. */
export type Decide = (head: RequestHead) => Refusal | Exchange | Promise<Refusal | Exchange>;

/** A gateway that decides as it is told, and remembers. */
export class FakeGateway {
  readonly heads: RequestHead[] = [];
  readonly exchanges: FakeExchange[] = [];
  closedWith: number | undefined;
  readonly #decide: (head: RequestHead, gateway: FakeGateway) => ReturnType<Decide>;

  constructor(
    decide: (head: RequestHead, gateway: FakeGateway) => ReturnType<Decide> = (_, gateway) => gateway.exchange(),
  ) {
    this.#decide = decide;
  }

  admit(head: RequestHead): ReturnType<Decide> {
    this.heads.push(head);
    return this.#decide(head, this);
  }

  /** An admission. */
  exchange(plan: Partial<Plan> = {}): Exchange {
    const exchange = new FakeExchange({ ...PLAN, ...plan });
    this.exchanges.push(exchange);
    return exchange as unknown as Exchange;
  }

  /** Waits like the real one: until what is live has ended, or the time is over. */
  async close({ drainTimeoutMs = 0 } = {}): Promise<void> {
    this.closedWith = drainTimeoutMs;
    const deadline = performance.now() + drainTimeoutMs;
    const live = () => this.exchanges.filter((exchange) => exchange.settlement === undefined);
    while (live().length > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 2));
    for (const exchange of live()) exchange.end('shutdown');
  }

  /** The same, as the adapter knows it. */
  get asGateway(): Gateway {
    return this as unknown as Gateway;
  }
}

/** An exchange that passes the upstream's head on as it is, but for what belongs to the upstream's connection. */
export class FakeExchange {
  readonly kind = 'exchange';
  readonly requestId = 'request-1';
  readonly plan: Plan;
  settlement: Settlement | undefined;
  #follower: Follower | undefined;

  constructor(plan: Plan) {
    this.plan = plan;
  }

  elapsedMs(): number {
    return 1;
  }

  follow(follower: Follower): void {
    this.#follower = follower;
  }

  response(status: number, headers: readonly string[]) {
    const kept: string[] = [];
    for (let index = 0; index < headers.length; index += 2) {
      if (!HOP_BY_HOP.includes(headers[index]!.toLowerCase())) kept.push(headers[index]!, headers[index + 1]!);
    }
    return { kind: 'response', status, headers: kept, longLived: false } as const;
  }

  refuse(): Refusal {
    return refusal(502);
  }

  renewable(): boolean {
    return false;
  }

  settle(settlement: Settlement): void {
    this.settlement ??= settlement;
  }

  /** The gateway ends this exchange. */
  end(reason: EndReason): void {
    this.#follower?.ended(reason);
  }
}

/** A refusal with this status. */
export function refusal(status: number): Refusal {
  return { ...malformed('unparsable'), status };
}

const HOP_BY_HOP: readonly string[] = ['connection', 'keep-alive', 'transfer-encoding'];

const PLAN: Plan = {
  method: 'GET',
  origin: 'http://127.0.0.1:1',
  target: '/',
  headers: ['Host', 'upstream.test'],
  framing: 'none',
  limits: {
    connectTimeoutMs: 5_000,
    headersTimeoutMs: 60_000,
    idleTimeoutMs: 60_000,
    streamIdleTimeoutMs: 60_000,
    maxBodyBytes: Number.POSITIVE_INFINITY,
  },
  addressPolicy: { key: 'any', allows: () => true },
  tls: undefined,
};
