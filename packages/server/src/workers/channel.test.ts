import { CaracalError } from '@caracal/core';
import { describe, expect, it } from 'vitest';
import { type Answers, Channel } from './channel.js';

const CODE = 'replay_unavailable';

function pair(answers: Answers) {
  const sent: unknown[] = [];
  const asking: Channel = new Channel(
    {
      send: (messages) => {
        sent.push(messages);
        answering.receive(JSON.parse(JSON.stringify(messages)));
      },
    },
    {},
  );
  const answering = new Channel({ send: (messages) => asking.receive(JSON.parse(JSON.stringify(messages))) }, answers);
  return { asking, sent };
}

describe('a channel', () => {
  it('answers in one message what was asked in one turn', async () => {
    const { asking, sent } = pair({ double: (value: number) => value * 2, later: async (value: number) => value });
    const answers = [asking.ask({ code: CODE }, 'double', 1), asking.ask({ code: CODE }, 'later', 5)];
    expect(await Promise.all(answers)).toEqual([2, 5]);
    expect(sent).toHaveLength(1);
  });

  it('tells a fault by its code and reason, and nothing of what another error says', async () => {
    const { asking } = pair({
      known: () => Promise.reject(new CaracalError('audit_unavailable', 'write_failed')),
      other: () => {
        throw new Error('secret');
      },
    });
    const fault = (name: string) => asking.ask({ code: CODE }, name).catch(({ code, reason }) => [code, reason]);
    expect(await fault('known')).toEqual(['audit_unavailable', 'write_failed']);
    expect(await fault('other')).toEqual([CODE, 'failed']);
    expect(await fault('unknown')).toEqual([CODE, 'failed']);
  });

  it('gives up in time, or when the other end is gone', async () => {
    const silent = new Channel({ send: () => {} }, {});
    const failure = (timeoutMs?: number) =>
      silent
        .ask({ code: CODE, ...(timeoutMs === undefined ? {} : { timeoutMs }) }, 'any')
        .catch(({ reason }) => reason);
    expect(await failure(5)).toBe('timeout');
    const waiting = failure();
    silent.close();
    expect([await waiting, await failure()]).toEqual(['closed', 'closed']);
  });

  it('bounds what waits, also for those that have given up', async () => {
    const silent = new Channel({ send: () => {} }, {});
    for (let asked = 0; asked < 32_768; asked++) silent.ask({ code: CODE }, 'any').catch(() => {});
    await expect(silent.ask({ code: CODE }, 'any')).rejects.toMatchObject({ reason: 'too_many_waiting' });
    silent.close();
  });
});
