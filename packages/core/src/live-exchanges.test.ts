import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LiveExchange, LiveExchanges } from './live-exchanges.js';

class FakeExchange implements LiveExchange {
  position = -1;
  ticks: number[] = [];
  ended: string[] = [];
  readonly tickMs: number;

  constructor(tickMs = Number.POSITIVE_INFINITY) {
    this.tickMs = tickMs;
  }

  tick(now: number): void {
    this.ticks.push(now);
  }

  end(reason: string): void {
    this.ended.push(reason);
  }
}

describe('LiveExchanges', () => {
  let now = 0;

  beforeEach(() => {
    now = 0;
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10) {
      now += 10;
      await vi.advanceTimersByTimeAsync(10);
    }
  }

  it('ends all others where one of them fails', () => {
    const live = new LiveExchanges(() => now);
    const members = [new FakeExchange(), new FakeExchange(), new FakeExchange()];
    members[0]!.end = () => {
      throw new Error('its socket is of another kind');
    };
    for (const member of members) live.add(member);
    expect(() => live.end('revoked', () => true)).toThrow(AggregateError);
    expect(members.map(({ ended }) => ended)).toEqual([[], ['revoked'], ['revoked']]);
    live.stop();
  });

  it('comes to what can wait when all callers have been cut, and does all of it, in the same turn', () => {
    const live = new LiveExchanges(() => now);
    const order: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const member = new FakeExchange();
      Object.assign(member, {
        end: (_reason: string, later: (rest: () => void) => void) => {
          order.push(name);
          later(() => {
            order.push(`rest of ${name}`);
            if (name === 'a') throw new Error('its upstream is of another kind');
          });
        },
      });
      live.add(member);
    }
    expect(() => live.end('revoked', () => true)).toThrow(AggregateError);
    expect(order).toEqual(['a', 'b', 'c', 'rest of a', 'rest of b', 'rest of c']);
    live.stop();
  });

  it('keeps its count through removals in any order, and a second removal changes nothing', () => {
    const live = new LiveExchanges(() => now);
    const members = [new FakeExchange(), new FakeExchange(), new FakeExchange()];
    for (const member of members) live.add(member);
    live.remove(members[0]!);
    live.remove(members[0]!);
    expect(live.size).toBe(2);
    live.remove(members[2]!);
    live.remove(members[1]!);
    expect(live.size).toBe(0);
  });

  it('ticks every second while there is a member, and has no timer when there is none', async () => {
    const live = new LiveExchanges(() => now);
    const member = new FakeExchange();
    live.add(member);
    await pass(3000);
    expect(member.ticks).toHaveLength(3);
    live.remove(member);
    await pass(1000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ticks as often as its hastiest member asks', async () => {
    const live = new LiveExchanges(() => now);
    const hasty = new FakeExchange(50);
    live.add(new FakeExchange());
    live.add(hasty);
    live.hurry(hasty);
    await pass(500);
    expect(hasty.ticks.length).toBeGreaterThanOrEqual(9);
  });

  it('ends those that match and no others', () => {
    const live = new LiveExchanges(() => now);
    const [first, second] = [new FakeExchange(), new FakeExchange()];
    live.add(first);
    live.add(second);
    live.end('revoked', (exchange) => exchange === second);
    expect([first.ended, second.ended]).toEqual([[], ['revoked']]);
  });

  it('tells when it is empty, or when the time is over', async () => {
    const live = new LiveExchanges(() => now);
    const member = new FakeExchange();
    await live.empty(100);
    live.add(member);
    let over = false;
    void live.empty(500).then(() => {
      over = true;
    });
    await pass(100);
    expect(over).toBe(false);
    live.remove(member);
    await pass(10);
    expect(over).toBe(true);
  });
});
