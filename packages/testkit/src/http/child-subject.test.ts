import { describe, expect, it } from 'vitest';
import type { SubjectConfig } from '../subject.js';
import { childSubject } from './child-subject.js';

const CONFIG: SubjectConfig = { issuers: [], resources: [], durability: 'written' };
const ANCHOR = { zoneId: 'default', issuer: 'https://issuer.test', kind: 'sid', id: 'session' } as const;

/** A child that speaks the protocol and has no gateway: `onLine` is what it does with an order. */
function child(onLine: string): string[] {
  const script = `
    const say = (message) => console.log(JSON.stringify(message));
    let config;
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const order = JSON.parse(line);
      if (config === undefined) { config = order; say({ listening: 4711 }); return; }
      ${onLine}
    });`;
  return [process.execPath, '-e', script];
}

describe('childSubject', () => {
  it('passes orders on and collects records', async () => {
    const subject = await childSubject(
      child(`
        if (order.close) process.exit(0);
        console.log('{ not a report'); console.error('a warning');
        say({ record: { type: 'request.authorized', requestId: 'r', zoneId: order.revoke.zoneId } });
        say({ revoked: true });
        setTimeout(() => say({ record: { type: 'request.completed', requestId: 'r' } }), 20);`),
      CONFIG,
    );
    expect(subject.port).toBe(4711);
    await subject.revoke(ANCHOR);
    const records = await subject.records('r');
    expect(records.map(({ type }) => type)).toEqual(['request.authorized', 'request.completed']);
    expect(records[0]?.zoneId).toBe('default');
    await subject.close();
    expect(subject.output()).toContain('a warning');
    expect(subject.output()).toContain('{ not a report');
  });

  it('says what a child wrote that did not start', async () => {
    const command = [process.execPath, '-e', 'console.error("broken on purpose"); process.exit(3)'];
    await expect(childSubject(command, CONFIG)).rejects.toThrow('broken on purpose');
  });

  it('refuses an empty command', async () => {
    await expect(childSubject([], CONFIG)).rejects.toThrow(TypeError);
  });
});
