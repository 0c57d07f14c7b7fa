import { describe, expect, it } from 'vitest';
import type { Provider } from '../attach/provider.js';
import { defineResource } from '../resolve/define-resource.js';
import type { ResourceDefinition } from '../resolve/resource.js';
import type { Delegation, Mandate } from '../verify/mandate.js';
import { checkOperation, checkRequirements, checkScopes } from './requirements.js';
import { missingScopes } from './scopes.js';

const provider: Provider = {
  id: 'provider://none',
  kind: 'none',
  origins: undefined,
  headerNames: [],
  renewable: false,
  attach: () => ({ headers: [], query: undefined, secrets: [], connection: undefined }),
  renew: async (_request, refused) => refused,
};

function resource(overrides: Partial<ResourceDefinition> = {}) {
  return defineResource({ identifier: 'r:a', scopes: ['read', 'write'], provider, ...overrides });
}

function mandate(overrides: Partial<Mandate> = {}): Mandate {
  return {
    issuer: 'https://issuer.example',
    zoneId: 'default',
    subject: 'subject',
    subjectType: 'application',
    applicationId: 'agent',
    audience: ['https://issuer.example'],
    jti: 'jti',
    issuedAt: 0,
    expiresAt: 1,
    use: 'gateway',
    scopes: new Set(['read']),
    targets: ['r:a'],
    sessionId: 'sid',
    rootSessionId: 'root',
    agentSessionId: undefined,
    delegation: undefined,
    anchors: [],
    ...overrides,
  };
}

function delegation(...applicationIds: string[]): Delegation {
  return {
    edgeId: 'edge',
    path: applicationIds.map((_, index) => `edge-${index}`),
    chain: applicationIds.map((applicationId) => ({ applicationId })),
    hopCount: applicationIds.length,
    graphEpoch: undefined,
  };
}

describe('checkOperation', () => {
  it('refuses what is not declared, where operations are enforced', () => {
    const operations = [{ method: 'GET', path: '/a' }];
    const enforced = resource({ operations });
    expect(checkOperation(enforced, enforced.operations.match('GET', '/a'))).toBeUndefined();
    expect(checkOperation(enforced, undefined)).toMatchObject({ code: 'operation_not_permitted' });
    expect(checkOperation(resource({ operations, operationEnforcement: 'any' }), undefined)).toBeUndefined();
    expect(checkOperation(resource(), undefined)).toBeUndefined();
  });
});

describe('checkScopes', () => {
  const operations = [
    { method: 'GET', path: '/a', scopes: ['read'] },
    { method: 'PUT', path: '/a', scopes: ['read', 'write'] },
    { method: 'GET', path: '/open', scopes: [] },
  ];
  const declared = resource({ operations, operationEnforcement: 'any' });

  it("needs all of the operation's scopes, and names all of them", () => {
    expect(checkScopes(mandate(), declared, declared.operations.match('GET', '/a'))).toBeUndefined();
    expect(checkScopes(mandate(), declared, declared.operations.match('PUT', '/a'))).toMatchObject({
      code: 'insufficient_scope',
      members: { scope: 'read write' },
    });
    expect(
      checkScopes(mandate({ scopes: new Set() }), declared, declared.operations.match('GET', '/open')),
    ).toBeUndefined();
  });

  it("needs all of the resource's scopes where no operation applies", () => {
    expect(checkScopes(mandate(), declared, undefined)).toMatchObject({ members: { scope: 'read write' } });
    expect(checkScopes(mandate({ scopes: new Set(['write', 'read', 'x']) }), declared, undefined)).toBeUndefined();
  });

  it('compares scopes exactly', () => {
    expect(missingScopes(['read', 'write'], new Set(['READ', 'write:all', 'rea']))).toEqual(['read', 'write']);
    expect(missingScopes(['read'], new Set(['read']))).toEqual([]);
  });
});

describe('checkRequirements', () => {
  const required = (require: NonNullable<ResourceDefinition['require']>, presented: Partial<Mandate>) =>
    checkRequirements(mandate(presented), resource({ require }))?.code;

  it('requires nothing where nothing is declared', () => {
    expect(required({}, { sessionId: undefined, rootSessionId: undefined })).toBeUndefined();
  });

  it("requires an agent's session: not the record of authority that every mandate has", () => {
    expect(required({ session: true }, {})).toBe('session_required');
    expect(required({ session: true }, { agentSessionId: 'agent-session' })).toBeUndefined();
  });

  it('takes the one session of an issuer that knows no root session', () => {
    expect(required({ session: true }, { rootSessionId: undefined })).toBeUndefined();
    expect(required({ session: true }, { rootSessionId: undefined, sessionId: undefined })).toBe('session_required');
  });

  it('requires a delegation of at least one hop', () => {
    expect(required({ delegation: true }, {})).toBe('delegation_required');
    expect(required({ delegation: true }, { delegation: delegation() })).toBe('delegation_required');
    expect(required({ delegation: true }, { delegation: delegation('a') })).toBeUndefined();
  });

  it('limits the hops; never delegated is none', () => {
    expect(required({ maxHops: 0 }, {})).toBeUndefined();
    expect(required({ maxHops: 0 }, { delegation: delegation('a') })).toBe('hop_count_exceeded');
    expect(required({ maxHops: 2 }, { delegation: delegation('a', 'b') })).toBeUndefined();
    expect(required({ maxHops: 2 }, { delegation: delegation('a', 'b', 'c') })).toBe('hop_count_exceeded');
  });

  it('wants the applications in the chain, in their order', () => {
    const chainContains = ['a', 'c'];
    expect(required({ chainContains }, {})).toBe('chain_mismatch');
    expect(required({ chainContains }, { delegation: delegation('a', 'b', 'c') })).toBeUndefined();
    expect(required({ chainContains }, { delegation: delegation('c', 'a') })).toBe('chain_mismatch');
    expect(required({ chainContains }, { delegation: delegation('a', 'b') })).toBe('chain_mismatch');
    expect(required({ chainContains: ['a', 'a'] }, { delegation: delegation('a') })).toBe('chain_mismatch');
  });

  it('answers in the published order', () => {
    const all = { session: true, delegation: true, maxHops: 0, chainContains: ['x'] };
    expect(required(all, {})).toBe('session_required');
    expect(required(all, { agentSessionId: 's' })).toBe('delegation_required');
    expect(required(all, { agentSessionId: 's', delegation: delegation('a') })).toBe('hop_count_exceeded');
  });
});
