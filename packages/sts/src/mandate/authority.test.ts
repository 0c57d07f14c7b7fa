import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Application } from '../application.js';
import { Denied } from '../denied.js';
import { type AuthorityRequest, exchangedAuthority, ownAuthority } from './authority.js';
import type { MandateClaims } from './mandate-claims.js';

const resource = (identifier: string, scopes: string[], gatewayApplication?: string) => ({
  identifier,
  scopes: new Set(scopes),
  gatewayApplication,
});
const application = (id: string, grants: Record<string, string[]>): Application => ({
  id,
  secret: undefined,
  assertionKeys: undefined,
  grants: new Map(Object.entries(grants).map(([name, scopes]) => [name, new Set(scopes)])),
});

const resources = new Map(
  [resource('r:a', ['read', 'write'], 'gateway'), resource('r:b', ['read', 'other']), resource('r:c', [])].map(
    (entry) => [entry.identifier, entry],
  ),
);
const agent = application('agent', { 'r:a': ['read', 'write'], 'r:b': ['read'], 'r:c': [] });
const gateway = application('gateway', {});
const catalog = { applications: new Map([agent, gateway].map((entry) => [entry.id, entry])), resources };
const ask = (of: string[] = [], scopes?: string[]): AuthorityRequest => ({ resources: of, scopes });
const subject = (changes: Partial<MandateClaims> = {}): MandateClaims => ({
  iss: 'i',
  sub: 'agent',
  aud: 'i',
  exp: 2,
  iat: 1,
  jti: 'j',
  zone_id: 'z',
  client_id: 'agent',
  scope: 'read write',
  use: 'session',
  sub_type: 'application',
  sid: 's',
  root_sid: 's',
  ...changes,
});
const errorOf = (answer: unknown) => (answer instanceof Denied ? answer.error : undefined);

describe('ownAuthority', () => {
  it('gives a session without a resource, with all that is granted anywhere', () => {
    expect(ownAuthority(agent, ask(), catalog)).toMatchObject({
      use: 'session',
      targets: [],
      scopes: ['read', 'write'],
    });
    expect(ownAuthority(agent, ask([], ['read']), catalog)).toMatchObject({ scopes: ['read'] });
    expect(errorOf(ownAuthority(agent, ask([], ['other']), catalog))).toBe('invalid_scope');
  });

  it('gives a mandate for the gateway for a resource, by default with all that is granted on it', () => {
    expect(ownAuthority(agent, ask(['r:a']), catalog)).toMatchObject({ use: 'gateway', scopes: ['read', 'write'] });
    expect(ownAuthority(agent, ask(['r:c']), catalog)).toMatchObject({ use: 'gateway', scopes: [] });
  });

  it('grants every scope on each of several resources, or nothing', () => {
    expect(ownAuthority(agent, ask(['r:a', 'r:b']), catalog)).toMatchObject({ scopes: ['read'] });
    expect(errorOf(ownAuthority(agent, ask(['r:a', 'r:b'], ['read', 'write']), catalog))).toBe('invalid_target');
    expect(errorOf(ownAuthority(agent, ask(['r:a', 'r:c']), catalog))).toBe('invalid_target');
  });

  it('refuses resources that are unknown or not granted alike', () => {
    expect(errorOf(ownAuthority(agent, ask(['r:unknown']), catalog))).toBe('invalid_target');
    expect(errorOf(ownAuthority(gateway, ask(['r:a']), catalog))).toBe('invalid_target');
  });
});

describe('exchangedAuthority', () => {
  it('stays within the scopes of a session and within what is granted today', () => {
    const narrow = subject({ scope: 'read' });
    expect(exchangedAuthority(agent, narrow, ask(['r:a']), catalog)).toMatchObject({
      use: 'gateway',
      scopes: ['read'],
    });
    expect(errorOf(exchangedAuthority(agent, narrow, ask(['r:a'], ['write']), catalog))).toBe('invalid_scope');
    const once = subject({ scope: 'read gone' });
    expect(errorOf(exchangedAuthority(agent, once, ask(['r:a'], ['gone']), catalog))).toBe('invalid_target');
    expect(errorOf(exchangedAuthority(agent, subject({ scope: '' }), ask(['r:a']), catalog))).toBe('invalid_scope');
  });

  it('narrows a session to a session', () => {
    const answer = exchangedAuthority(agent, subject(), ask([], ['read']), catalog);
    expect(answer).toMatchObject({ use: 'session', scopes: ['read'] });
  });

  it('turns no mandate for some resources back into a session', () => {
    const forOne = subject({ use: 'gateway', target: ['r:a'] });
    expect(errorOf(exchangedAuthority(agent, forOne, ask(), catalog))).toBe('invalid_target');
    expect(errorOf(exchangedAuthority(agent, forOne, ask(['r:b']), catalog))).toBe('invalid_target');
  });

  it("gives the resource's gateway application a mandate for that resource, of the agent", () => {
    const presented = subject({ use: 'gateway', target: ['r:a', 'r:b'], scope: 'read' });
    expect(exchangedAuthority(gateway, presented, ask(['r:a']), catalog)).toMatchObject({
      use: 'resource',
      application: agent,
      targets: ['r:a'],
      scopes: ['read'],
    });
    expect(errorOf(exchangedAuthority(gateway, presented, ask(['r:a', 'r:b']), catalog))).toBe('invalid_target');
  });

  it('gives nobody else anything for the mandate of another', () => {
    const presented = subject({ use: 'gateway', target: ['r:a', 'r:b'] });
    expect(errorOf(exchangedAuthority(gateway, presented, ask(['r:b']), catalog))).toBe('unauthorized_client');
    expect(errorOf(exchangedAuthority(gateway, subject(), ask(['r:a']), catalog))).toBe('unauthorized_client');
  });

  it('exchanges no mandate of use resource, and none of an application that is gone', () => {
    const spent = subject({ use: 'resource', aud: 'r:a', target: ['r:a'] });
    expect(errorOf(exchangedAuthority(gateway, spent, ask(['r:a']), catalog))).toBe('invalid_request');
    expect(errorOf(exchangedAuthority(agent, subject({ client_id: 'gone' }), ask(['r:a']), catalog))).toBe(
      'invalid_request',
    );
  });

  it('never gives more than the subject has, whatever is asked', () => {
    const names = fc.subarray(['read', 'write', 'other', 'gone']);
    const targets = fc.subarray(['r:a', 'r:b', 'r:c', 'r:unknown']);
    const uses = fc.constantFrom('session' as const, 'gateway' as const, 'resource' as const);
    fc.assert(
      fc.property(
        uses,
        names,
        targets,
        targets,
        fc.option(names, { nil: undefined }),
        (use, has, reach, want, scopes) => {
          const presented = subject({ use, scope: has.join(' '), ...(use === 'session' ? {} : { target: reach }) });
          for (const requester of [agent, gateway]) {
            const answer = exchangedAuthority(requester, presented, { resources: want, scopes }, catalog);
            if (answer instanceof Denied) continue;
            expect(answer.application).toBe(agent);
            for (const scope of answer.scopes) expect(has).toContain(scope);
            if (use === 'gateway') {
              expect(answer.use).not.toBe('session');
              for (const target of answer.targets) expect(reach).toContain(target);
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
