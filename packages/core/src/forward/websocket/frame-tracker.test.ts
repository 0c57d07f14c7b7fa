import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameTracker } from './frame-tracker.js';
import { type FrameParts, frame, joined } from './frames.fixture.js';

/** Any frame, all lengths around the places where their spelling changes; control frames stand among fragments. */
const frameParts: fc.Arbitrary<FrameParts> = fc
  .record({
    opcode: fc.constantFrom(0, 1, 2, 9, 10, 3, 15),
    final: fc.boolean(),
    length: fc.oneof(fc.nat(130), fc.constantFrom(0, 1, 125, 126, 127, 300, 65_535, 65_536)),
    mask: fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 }), { nil: undefined }),
    wide: fc.boolean(),
  })
  .map(({ opcode, final, length, mask, wide }) => ({
    opcode,
    final,
    mask,
    payload: new Uint8Array(length).fill(0x88),
    ...(wide ? { lengthBytes: 8 as const } : undefined),
  }));

/** Cuts bytes at the given places, anywhere. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((one, other) => one - other);
  const starts = [0, ...at];
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1] ?? bytes.length));
}

describe('FrameTracker', () => {
  it('is between frames exactly where one has ended, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(frameParts, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (parts, places) => {
        const frames = parts.map(frame);
        const ends = new Set([0]);
        let end = 0;
        for (const { length } of frames) {
          end += length;
          ends.add(end);
        }
        const tracker = new FrameTracker();
        let at = 0;
        for (const chunk of cut(joined(frames), places)) {
          tracker.follow(chunk);
          at += chunk.length;
          expect(tracker.between).toBe(ends.has(at));
        }
        expect(tracker.closed).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it('finds the end of a frame that has begun, and takes nothing of the next one', () => {
    fc.assert(
      fc.property(frameParts, frameParts, fc.nat(), fc.nat(), (first, second, beginning, more) => {
        const [open, next] = [frame(first), frame(second)];
        const begun = 1 + (beginning % open.length);
        const tracker = new FrameTracker();
        tracker.follow(open.subarray(0, begun));
        const rest = joined([open.subarray(begun), next]);
        const chunk = rest.subarray(0, more % (rest.length + 1));
        const left = open.length - begun;
        expect(tracker.followFrame(chunk)).toBe(Math.min(left, chunk.length));
        expect(tracker.between).toBe(chunk.length >= left);
      }),
      { numRuns: 300 },
    );
  });

  it('takes nothing between frames', () => {
    expect(new FrameTracker().followFrame(frame({ opcode: 1, final: true, payload: new Uint8Array(3) }))).toBe(0);
  });

  it('reads every byte by itself as it reads all of them at once', () => {
    const bytes = joined([
      frame({ opcode: 2, final: false, payload: new Uint8Array(70_000), mask: new Uint8Array([1, 2, 3, 4]) }),
      frame({ opcode: 9, final: true, payload: new Uint8Array(125), mask: new Uint8Array([0, 0, 0, 0]) }),
      frame({ opcode: 0, final: true, payload: new Uint8Array(0), mask: new Uint8Array([9, 9, 9, 9]) }),
    ]);
    const tracker = new FrameTracker();
    const boundaries: number[] = [];
    bytes.forEach((byte, index) => {
      tracker.follow(new Uint8Array([byte]));
      if (tracker.between) boundaries.push(index + 1);
    });
    expect(boundaries).toEqual([70_014, 70_014 + 131, bytes.length]);
  });

  it('never sees the end of a frame that is longer than any number tells', () => {
    const tracker = new FrameTracker();
    tracker.follow(new Uint8Array([0x82, 127, ...new Array<number>(8).fill(0xff)]));
    for (let index = 0; index < 100; index += 1) tracker.follow(new Uint8Array(10_000));
    expect(tracker.between).toBe(false);
  });

  it('knows that a direction has closed once a close frame has begun', () => {
    const tracker = new FrameTracker();
    const close = frame({ opcode: 8, final: true, payload: new Uint8Array([3, 232]) });
    tracker.follow(close.subarray(0, 1));
    expect(tracker.closed).toBe(false);
    tracker.follow(close.subarray(1, 2));
    expect(tracker.closed).toBe(true);
    expect(tracker.between).toBe(false);
    tracker.follow(close.subarray(2));
    expect(tracker.between).toBe(true);
  });
});
