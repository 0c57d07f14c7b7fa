import { createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { LINKED_ROOT, LinkedContext } from './linked-context.js';

const A = createContextKey('a');
const B = createContextKey('b');

describe('LinkedContext', () => {
  it('says what was set last, and what the one it comes from says of the rest', () => {
    const parent = ROOT_CONTEXT.setValue(A, 'a').setValue(B, 'b');
    const child = new LinkedContext(parent, A, 1).setValue(A, 2);
    expect([child.getValue(A), child.getValue(B)]).toEqual([2, 'b']);
    expect(parent.getValue(A)).toBe('a');
  });

  it('forgets what was deleted, whoever has said it', () => {
    const child = new LinkedContext(ROOT_CONTEXT.setValue(A, 'a'), B, 'b').deleteValue(A);
    expect([child.getValue(A), child.getValue(B)]).toEqual([undefined, 'b']);
    expect(child.setValue(A, 'again').getValue(A)).toBe('again');
  });

  it('carries a span as the API does', () => {
    const span = trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 });
    const child = trace.setSpan(LINKED_ROOT, span);
    expect(trace.getSpan(child)).toBe(span);
    expect(trace.getSpan(LINKED_ROOT)).toBeUndefined();
    expect(trace.getSpan(trace.deleteSpan(child))).toBeUndefined();
  });
});
