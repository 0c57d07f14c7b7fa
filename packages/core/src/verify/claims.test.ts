import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Denial } from '../errors.js';
import { type ClaimRules, mandateOf } from './claims.js';
import { MAX_DELEGATION_HOPS } from './delegation.js';
import { gatewayClaims, ISSUER, NOW, without } from './mandate.fixture.js';
import type { Mandate } from './mandate.js';

const RULES: ClaimRules = { issuer: ISSUER, zoneId: 'default', profile: 'caracal', claims: {} };

function mandate(claims: Record<string, unknown>, rules = RULES, nowMs = NOW * 1000): Mandate {
  const read = mandateOf(claims, rules, nowMs);
  if (read instanceof Denial) throw new Error(read.reason);
  return read;
}

function reason(claims: Record<string, unknown>, rules = RULES, nowMs = NOW * 1000): string {
  const read = mandateOf(claims, rules, nowMs);
  return read instanceof Denial ? `${read.code} ${read.reason}` : 'accepted';
}

const refused = (more: Record<string, unknown>) => reason(gatewayClaims(more));

describe('claims of profile caracal', () => {
  it('become a mandate', () => {
    expect(mandate(gatewayClaims({ agent_session_id: 'as-1' }))).toMatchObject({
      issuer: ISSUER,
      zoneId: 'default',
      subject: 'agent-1',
      subjectType: 'application',
      applicationId: 'billing-agent',
      audience: [ISSUER],
      jti: 'jti-1',
      issuedAt: NOW,
      expiresAt: NOW + 900,
      use: 'gateway',
      scopes: new Set(['billing:read', 'billing:submit']),
      targets: ['resource://billing-api'],
      sessionId: 'sid-1',
      rootSessionId: 'root-1',
      agentSessionId: 'as-1',
      delegation: undefined,
    });
  });

  it('must all be there', () => {
    const required = 'iss sub aud exp iat jti zone_id client_id use sid root_sid sub_type target'.split(' ');
    for (const name of required) expect(reason(without(gatewayClaims(), name))).toMatch(/^invalid_token /);
    expect(reason(without(gatewayClaims(), 'scope'))).toBe('accepted');
  });

  it('must have their types', () => {
    for (const name of Object.keys(gatewayClaims({ agent_session_id: '', delegation_edge_id: '' }))) {
      for (const value of [null, true, {}, [1], [], '\u0000', '\ud800', 'x'.repeat(513)]) {
        expect(refused({ [name]: value }), `${name} ${JSON.stringify(value)}`).toMatch(/^invalid_token /);
      }
    }
  });

  it('belong to the zone the issuer is trusted for', () => {
    expect(refused({ zone_id: 'other' })).toBe('invalid_token zone_mismatch');
    for (const zone of ['', 'a b', 'a/b', 'z'.repeat(129)]) {
      expect(refused({ zone_id: zone })).toBe('invalid_token zone_id_invalid');
    }
  });

  it('say what they are for, and a session mandate is for the token service alone', () => {
    expect(refused({ use: 'session' })).toBe('invalid_token session_mandate');
    expect(refused({ use: 'Gateway' })).toBe('invalid_token use_invalid');
  });

  it('have the issuer as the audience of a gateway mandate', () => {
    expect(refused({ aud: 'resource://billing-api' })).toBe('invalid_token aud_not_issuer');
    expect(refused({ aud: [ISSUER, 'resource://other'] })).toBe('invalid_token aud_invalid');
    expect(refused({ aud: [ISSUER] })).toBe('accepted');
    expect(refused({ target: [] })).toBe('invalid_token target_invalid');
  });

  it('reach exactly the audience of a resource mandate', () => {
    const resource = { use: 'resource', aud: 'resource://a' };
    expect(mandate(without(gatewayClaims(resource), 'target')).targets).toEqual(['resource://a']);
    expect(mandate(gatewayClaims({ ...resource, target: ['resource://b', 'resource://a'] })).targets).toEqual([
      'resource://a',
    ]);
    expect(refused({ ...resource, target: ['resource://b'] })).toBe('invalid_token target_mismatch');
    expect(refused({ ...resource, aud: ['resource://a', 'resource://b'] })).toBe('invalid_token aud_invalid');
  });

  it('with cnf are refused, since nobody proved possession of the key', () => {
    for (const cnf of [{ jkt: 'x' }, {}, null]) expect(refused({ cnf })).toBe('invalid_token proof_required');
  });

  it('hold scopes as exact tokens with single spaces between them', () => {
    expect(mandate(gatewayClaims({ scope: '' })).scopes.size).toBe(0);
    expect([...mandate(gatewayClaims({ scope: 'a A a:b' })).scopes]).toEqual(['a', 'A', 'a:b']);
    for (const scope of [' a', 'a  b', 'a\tb', 'a"b', 'a\\b', 'é', ['a'], Array(1025).fill('a').join(' ')]) {
      expect(refused({ scope })).toBe('invalid_token scope_invalid');
    }
  });
});

describe('the life of a mandate', () => {
  it('ends at exp without skew', () => {
    const claims = gatewayClaims();
    expect(reason(claims, RULES, (NOW + 900) * 1000 - 1)).toBe('accepted');
    expect(reason(claims, RULES, (NOW + 900) * 1000)).toBe('invalid_token expired');
  });

  it('may begin up to 60 s in the future, by iat and nbf', () => {
    expect(refused({ iat: NOW + 60, nbf: NOW + 60 })).toBe('accepted');
    expect(refused({ iat: NOW + 61 })).toBe('invalid_token issued_in_future');
    expect(refused({ nbf: NOW + 61 })).toBe('invalid_token not_yet_valid');
  });

  it('is longer than nothing and at most 24 h', () => {
    expect(refused({ exp: NOW + 86_400 })).toBe('accepted');
    expect(refused({ exp: NOW + 86_401 })).toBe('invalid_token life_out_of_bounds');
    expect(refused({ exp: NOW + 30, iat: NOW + 30 })).toBe('invalid_token life_out_of_bounds');
  });

  it('is told in numbers; fractions count, rounded down', () => {
    expect(mandate(gatewayClaims({ exp: NOW + 9.9, iat: NOW + 0.5 }))).toMatchObject({
      expiresAt: NOW + 9,
      issuedAt: NOW,
    });
    for (const value of [String(NOW + 9), Number.POSITIVE_INFINITY, -1, Number.NaN, 2 ** 60, true]) {
      expect(refused({ exp: value })).toBe('invalid_token exp_invalid');
      expect(refused({ iat: value })).toBe('invalid_token iat_invalid');
      expect(refused({ nbf: value })).toBe('invalid_token nbf_invalid');
    }
  });
});

describe('delegation', () => {
  const delegated = {
    delegation_edge_id: 'e2',
    delegation_path: ['e1', 'e2'],
    delegation_chain: [
      { application_id: 'root-app' },
      { application_id: 'billing-agent', agent_session_id: 'as-1', delegation_edge_id: 'e2' },
    ],
    hop_count: 2,
    delegation_graph_epoch: 7,
  };

  it('is read root to leaf', () => {
    expect(mandate(gatewayClaims(delegated)).delegation).toEqual({
      edgeId: 'e2',
      path: ['e1', 'e2'],
      chain: [
        { applicationId: 'root-app' },
        { applicationId: 'billing-agent', agentSessionId: 'as-1', delegationEdgeId: 'e2' },
      ],
      hopCount: 2,
      graphEpoch: 7,
    });
  });

  it('is absent where the path is empty', () => {
    expect(mandate(gatewayClaims({ hop_count: 0, delegation_path: [] })).delegation).toBeUndefined();
  });

  it('must agree with itself', () => {
    for (const hop_count of [undefined, 0, 1, 3, '2', null, 2.5]) {
      expect(refused({ ...delegated, hop_count })).toBe('invalid_token hop_count_mismatch');
    }
    expect(refused({ hop_count: 1 })).toBe('invalid_token hop_count_mismatch');
    expect(refused({ ...delegated, delegation_edge_id: 'e1' })).toBe('invalid_token delegation_edge_mismatch');
    expect(refused({ delegation_edge_id: 'e1' })).toBe('invalid_token delegation_edge_mismatch');
    expect(refused({ ...delegated, delegation_path: ['e2', 'e2'] })).toBe('invalid_token delegation_path_invalid');
    const chain = Array(4).fill({ application_id: 'a' });
    expect(refused({ ...delegated, delegation_chain: chain })).toBe('invalid_token delegation_chain_mismatch');
  });

  it('is bounded and well formed', () => {
    const path = Array.from({ length: MAX_DELEGATION_HOPS + 1 }, (_, index) => `e${index}`);
    expect(refused({ delegation_path: path, hop_count: path.length })).toBe('invalid_token delegation_path_invalid');
    for (const link of [null, {}, 'a', { application_id: 'a b' }, { application_id: 'a', agent_session_id: 1 }]) {
      expect(refused({ ...delegated, delegation_chain: [link] })).toBe('invalid_token delegation_chain_invalid');
    }
    for (const delegation_graph_epoch of [{}, '', Number.NaN]) {
      expect(refused({ ...delegated, delegation_graph_epoch })).toBe('invalid_token delegation_graph_epoch_invalid');
    }
  });

  it('adds each edge and whoever it came through to the anchors, once', () => {
    const { anchors } = mandate(gatewayClaims({ ...delegated, agent_session_id: 'as-1' }));
    expect(anchors.map(({ kind, id }) => `${kind} ${id}`)).toEqual([
      'sid sid-1',
      'root_sid root-1',
      'agent_session_id as-1',
      'delegation_edge_id e1',
      'delegation_edge_id e2',
      'jti jti-1',
      'client_id billing-agent',
      'sub agent-1',
      'client_id root-app',
    ]);
    expect(anchors.every(({ zoneId, issuer }) => zoneId === 'default' && issuer === ISSUER)).toBe(true);
  });
});

describe('claims of profile rfc9068', () => {
  const claims = {
    iss: ISSUER,
    sub: 'user-1',
    aud: 'https://api.example',
    exp: NOW + 60,
    iat: NOW,
    jti: 'j',
    client_id: 'https://client.example/id',
    scope: 'a b',
  };
  const rules: ClaimRules = { ...RULES, profile: 'rfc9068' };
  const mapped: ClaimRules = {
    ...rules,
    claims: { zone: 'tenant', session: 'sid', rootSession: 'root', scopes: 'scp' },
  };

  it('become a mandate for their one audience', () => {
    expect(mandate(claims, rules)).toMatchObject({
      zoneId: 'default',
      use: 'resource',
      targets: ['https://api.example'],
      scopes: new Set(['a', 'b']),
      sessionId: undefined,
      subjectType: undefined,
    });
    expect(reason({ ...claims, aud: ['https://a.example', 'https://b.example'] }, rules)).toMatch('aud_invalid');
  });

  it('must all be there', () => {
    for (const name of ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id']) {
      expect(reason(without(claims, name), rules)).toMatch(/^invalid_token /);
    }
  });

  it('are read by the names the issuer maps, scopes from a list too', () => {
    const more = { tenant: 'default', sid: 's', root: 'r', scp: ['x', 'y'] };
    expect(mandate({ ...claims, ...more }, mapped)).toMatchObject({
      sessionId: 's',
      rootSessionId: 'r',
      scopes: new Set(['x', 'y']),
    });
    expect(reason({ ...claims, ...more, tenant: 'other' }, mapped)).toBe('invalid_token zone_mismatch');
    expect(reason({ ...claims, sid: 's' }, mapped)).toBe('invalid_token zone_mismatch');
    expect(reason({ ...claims, ...more, sid: 1 }, mapped)).toBe('invalid_token session_invalid');
    expect(reason({ ...claims, ...more, scp: ['x y'] }, mapped)).toBe('invalid_token scope_invalid');
  });

  it('that are not mapped give nothing away', () => {
    const more = { sid: 's', delegation_path: ['e'], agent_session_id: 'a', target: ['resource://other'] };
    expect(mandate({ ...claims, ...more }, rules)).toMatchObject({
      sessionId: undefined,
      agentSessionId: undefined,
      delegation: undefined,
      targets: ['https://api.example'],
    });
  });
});

describe('any payload', () => {
  it('becomes a mandate or a denial', () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(ISSUER, 'default', 'gateway', NOW, NOW + 60));
    const replaced = fc.dictionary(fc.constantFrom(...Object.keys(gatewayClaims()), 'hop_count', '__proto__'), value);
    fc.assert(
      fc.property(fc.oneof(fc.dictionary(fc.string(), value), replaced.map(gatewayClaims)), (claims) => {
        for (const profile of ['caracal', 'rfc9068'] as const) {
          const read = mandateOf(claims, { ...RULES, profile }, NOW * 1000);
          if (read instanceof Denial) expect(`${read.code} ${read.reason}`).toMatch(/^invalid_token [a-z_]+$/);
          else expect(read.anchors.length).toBeGreaterThan(2);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
