import { describe, expect, it } from 'vitest';
import { malformed } from './malformed.js';

describe('malformed', () => {
  it.each([
    ['unparsable', 400],
    ['headers_too_large', 431],
    ['request_timeout', 408],
    ['http_version_unsupported', 505],
  ] as const)('answers %s with %i in the shape of every refusal', (reason, status) => {
    const answer = malformed(reason);
    expect(answer.status).toBe(status);
    expect(answer.code).toBe('invalid_request');
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'invalid_request', requestId: answer.requestId });
  });
});
