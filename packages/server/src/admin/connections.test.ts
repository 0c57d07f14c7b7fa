import { CaracalError } from '@caracal/core';
import { ConnectInputError, type ConnectService } from '@caracal/oauth';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../log/log.js';
import { connectionEndpoints } from './connections.js';

/** The endpoints in front of a service in which everything fails with `cause`. */
function failing(cause: unknown) {
  const logged: LogEntry[] = [];
  const fail = () => Promise.reject(cause);
  const list = () => ({ [Symbol.asyncIterator]: () => ({ next: fail }) });
  const service: ConnectService = {
    handler: fail,
    invite: fail,
    status: fail,
    disconnect: fail,
    list,
    probeSignIn: fail,
  };
  const app = new Hono();
  const escaped: unknown[] = [];
  app.onError((thrown, c) => {
    escaped.push(thrown);
    return c.text('', 500);
  });
  connectionEndpoints(app, { connect: () => service, zone: () => 'default' }, (entry) => void logged.push(entry));
  const body = JSON.stringify({ provider: 'provider://files', issuer: 'https://id.example', subject: 'alice' });
  const answers = async () =>
    Promise.all([
      app.request('/v1/connections'),
      app.request('/v1/connections?provider=provider://files&issuer=https://id.example&subject=alice'),
      app.request('/v1/connections/invitations', { method: 'POST', body }),
      app.request('/v1/connections/disconnect', { method: 'POST', body }),
    ]);
  return { answers, logged, escaped };
}

describe('connectionEndpoints', () => {
  it('answer a mistake of ours as one, without its text', async () => {
    for (const mistake of [new TypeError('canary is not a function'), new RangeError('canary')]) {
      const { answers, escaped } = failing(mistake);
      for (const answer of await answers()) {
        expect([answer.status, await answer.text()]).toEqual([500, '']);
      }
      expect(escaped).toEqual([mistake, mistake, mistake, mistake]);
    }
  });

  it('answer a store that fails as such, and log it', async () => {
    for (const cause of [new CaracalError('credential_unavailable', 'not_durable'), new Error('canary')]) {
      const { answers, logged, escaped } = failing(cause);
      for (const answer of await answers()) {
        const text = await answer.text();
        expect([answer.status, text]).toEqual([503, expect.stringContaining('connections_unavailable')]);
        expect(text).not.toContain('canary');
      }
      expect(logged.map(({ event }) => event)).toEqual(Array(4).fill('connections_failed'));
      expect(escaped).toEqual([]);
    }
  });

  it('answer what was asked wrongly with what is wrong', async () => {
    const { answers } = failing(new ConnectInputError('provider://files allows no shared connection'));
    for (const answer of await answers()) {
      expect([answer.status, await answer.json()]).toEqual([
        400,
        { error: 'invalid_request', error_description: 'provider://files allows no shared connection' },
      ]);
    }
  });
});
