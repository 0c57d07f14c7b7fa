import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Channel, ChannelListener } from '../channel.js';
import { closeFrame } from './close-frame.js';
import { frame, joined } from './frames.fixture.js';
import { CLOSING_TIMEOUT_MS, Relay, type RelayEnd } from './relay.js';

/** One end, played by the test. */
class FakeChannel implements Channel {
  listener: ChannelListener | undefined;
  readonly written: Uint8Array[] = [];
  readonly log: string[] = [];
  ready = true;
  ended = false;
  destroyed = false;
  readonly early: Uint8Array[] = [];

  open(listener: ChannelListener): void {
    this.listener = listener;
    for (const chunk of this.early) listener.onChunk(chunk);
  }
  write(chunk: Uint8Array): boolean {
    if (this.ended) throw new Error('written after the end');
    this.written.push(chunk);
    return this.ready;
  }
  pause(): void {
    this.log.push('pause');
  }
  resume(): void {
    this.log.push('resume');
  }
  end(): void {
    this.ended = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
  get bytes(): Uint8Array {
    return joined(this.written);
  }
}

const MASK = new Uint8Array([1, 2, 3, 4]);
const IDLE_MS = 1_000;
const text = (length: number, mask?: Uint8Array) =>
  frame({ opcode: 1, final: true, payload: new Uint8Array(length).fill(97), mask });

function started(early: readonly Uint8Array[] = []) {
  const [caller, upstream] = [new FakeChannel(), new FakeChannel()];
  caller.early.push(...early);
  const ends: RelayEnd[] = [];
  const relay = new Relay(caller, upstream, { streamIdleTimeoutMs: IDLE_MS, onEnd: (end) => ends.push(end) });
  relay.begin();
  return { caller, upstream, relay, ends, up: caller.listener!, down: upstream.listener! };
}

/** The close frame at the end of what was written, its mask taken off. */
function lastClose(channel: FakeChannel): { code: number; reason: string; masked: boolean } {
  const last = channel.written.at(-1)!;
  expect(last[0]).toBe(0x88);
  const masked = (last[1]! & 0x80) !== 0;
  const payload = masked ? last.subarray(6).map((byte, index) => byte ^ last[2 + (index % 4)]!) : last.subarray(2);
  return { code: payload[0]! * 256 + payload[1]!, reason: new TextDecoder().decode(payload.subarray(2)), masked };
}

describe('Relay', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('passes bytes both ways as they are, what came early first, and counts them', () => {
    const { caller, upstream, up, down, ends } = started([text(3, MASK)]);
    up.onChunk(text(5, MASK));
    down.onChunk(text(7));
    expect(upstream.bytes).toEqual(joined([text(3, MASK), text(5, MASK)]));
    expect(caller.bytes).toEqual(text(7));
    up.onEnd();
    expect(upstream.ended).toBe(true);
    expect(ends).toEqual([]);
    down.onEnd();
    expect(ends).toEqual([{ outcome: 'client_aborted', reason: undefined, requestBytes: 20, responseBytes: 9 }]);
  });

  it('was executed where a close frame came before the end', () => {
    const { up, down, ends } = started();
    up.onChunk(closeFrame(1000, '', MASK));
    down.onChunk(closeFrame(1000, ''));
    down.onEnd();
    up.onEnd();
    expect(ends[0]?.outcome).toBe('executed');
  });

  it('holds back one end while the other takes nothing', () => {
    const { caller, upstream, up, down } = started();
    upstream.ready = false;
    up.onChunk(text(1, MASK));
    expect(caller.log).toEqual(['pause']);
    expect(upstream.log).toEqual([]);
    down.onReady();
    expect(caller.log).toEqual(['pause', 'resume']);
  });

  it.each([
    ['revoked', 1008, 'session_revoked', 'revoked_mid_stream'],
    ['expired', 1008, 'invalid_token', 'expired_mid_stream'],
    ['shutdown', 1001, 'shutting_down', 'shutdown'],
  ] as const)(
    '%s between frames: a close frame each way, masked towards the upstream, at once',
    (reason, code, word, outcome) => {
      const { caller, upstream, relay, ends, up, down } = started();
      up.onChunk(text(4, MASK));
      relay.ended(reason);
      expect(lastClose(caller)).toEqual({ code, reason: word, masked: false });
      expect(lastClose(upstream)).toEqual({ code, reason: word, masked: true });
      expect([caller.ended, upstream.ended]).toEqual([true, true]);
      expect(ends).toEqual([{ outcome, reason, requestBytes: 10, responseBytes: 0 }]);
      const [before, after] = [upstream.bytes, caller.bytes];
      up.onChunk(text(4, MASK));
      down.onChunk(text(4));
      expect([upstream.bytes, caller.bytes]).toEqual([before, after]);
      expect(caller.destroyed).toBe(false);
      vi.advanceTimersByTime(CLOSING_TIMEOUT_MS);
      expect([caller.destroyed, upstream.destroyed]).toEqual([true, true]);
      expect(ends).toHaveLength(1);
    },
  );

  it('says it to the caller first, and passes nothing on before the upstream is told as well', () => {
    const { caller, upstream, relay, ends } = started();
    const rests: (() => void)[] = [];
    relay.ended('revoked', (rest) => rests.push(rest));
    expect(lastClose(caller).code).toBe(1008);
    expect([upstream.written, ends]).toEqual([[], []]);
    for (const rest of rests) rest();
    expect(lastClose(upstream)).toMatchObject({ code: 1008, masked: true });
    expect(ends).toMatchObject([{ outcome: 'revoked_mid_stream' }]);
  });

  it('waits for the end of a frame before it closes, and passes nothing behind it', () => {
    const { caller, upstream, relay, ends, up } = started();
    const open = text(300, MASK);
    up.onChunk(open.subarray(0, 100));
    relay.ended('revoked');
    expect(lastClose(caller).code).toBe(1008);
    expect(upstream.ended).toBe(false);
    expect(ends).toEqual([]);
    up.onChunk(joined([open.subarray(100), text(5, MASK)]));
    expect(upstream.written.slice(0, -1).flatMap((chunk) => [...chunk])).toEqual([...open]);
    expect(lastClose(upstream)).toMatchObject({ code: 1008, masked: true });
    expect(ends).toEqual([
      { outcome: 'revoked_mid_stream', reason: 'revoked', requestBytes: open.length, responseBytes: 0 },
    ]);
  });

  it('puts the close frame between two fragments', () => {
    const { caller, relay, down } = started();
    down.onChunk(frame({ opcode: 1, final: false, payload: new Uint8Array(3) }));
    relay.ended('revoked');
    expect(lastClose(caller).code).toBe(1008);
  });

  it('breaks off inside a frame that takes longer than its time', () => {
    const { caller, upstream, relay, ends, up } = started();
    up.onChunk(text(300, MASK).subarray(0, 100));
    relay.ended('revoked');
    vi.advanceTimersByTime(CLOSING_TIMEOUT_MS);
    expect([caller.destroyed, upstream.destroyed, upstream.ended]).toEqual([true, true, false]);
    expect(ends).toEqual([{ outcome: 'revoked_mid_stream', reason: 'revoked', requestBytes: 100, responseBytes: 0 }]);
  });

  it('sends no second close frame', () => {
    const { caller, relay, down } = started();
    down.onChunk(closeFrame(1000, ''));
    relay.ended('revoked');
    expect(caller.bytes).toEqual(closeFrame(1000, ''));
    expect(caller.ended).toBe(true);
  });

  it('is ended by the gateway also where one end has gone and the other goes on', () => {
    const { caller, relay, ends, up, down } = started();
    up.onEnd();
    down.onChunk(text(3));
    relay.ended('revoked');
    expect(lastClose(caller).code).toBe(1008);
    expect(ends.map(({ outcome }) => outcome)).toEqual(['revoked_mid_stream']);
  });

  it('ends where nothing moved for too long', () => {
    const { caller, relay, ends, up } = started();
    up.onChunk(text(1, MASK));
    relay.tick(0);
    relay.tick(IDLE_MS - 1);
    expect(ends).toEqual([]);
    relay.tick(IDLE_MS);
    expect(lastClose(caller)).toMatchObject({ code: 1001, reason: 'idle' });
    expect(ends).toMatchObject([{ outcome: 'timeout', reason: 'idle' }]);
  });

  it('lays it to the caller where the caller takes nothing', () => {
    const { caller, relay, ends, down } = started();
    caller.ready = false;
    down.onChunk(text(1));
    relay.tick(0);
    relay.tick(IDLE_MS);
    expect(ends[0]?.outcome).toBe('client_aborted');
  });

  it('gives the other end its time once one end has ended, counted from the last byte handed on', () => {
    const { caller, upstream, ends, up, down } = started();
    up.onEnd();
    vi.advanceTimersByTime(CLOSING_TIMEOUT_MS * 10);
    expect(upstream.destroyed).toBe(false);
    down.onFinish();
    down.onChunk(text(2));
    expect(caller.bytes).toEqual(text(2));
    vi.advanceTimersByTime(CLOSING_TIMEOUT_MS);
    expect([caller.destroyed, upstream.destroyed]).toEqual([true, true]);
    expect(ends).toEqual([{ outcome: 'client_aborted', reason: undefined, requestBytes: 0, responseBytes: 4 }]);
  });

  it('closes both where one is broken off', () => {
    const { caller, upstream, ends, down } = started();
    down.onClose();
    expect([caller.destroyed, upstream.destroyed]).toEqual([true, true]);
    expect(ends[0]?.outcome).toBe('upstream_aborted');
  });

  it('leaves no timer behind where both have closed', () => {
    const { relay, ends, up, down } = started();
    relay.ended('revoked');
    up.onEnd();
    up.onClose();
    down.onEnd();
    down.onClose();
    expect(vi.getTimerCount()).toBe(0);
    expect(ends).toHaveLength(1);
  });
});
