import { describe, expect, it } from 'vitest';
import { Denied } from './denied.js';
import { type Form, parseForm } from './http/form.js';
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE } from './oauth-names.js';
import { tokenRequest } from './token-request.js';

const read = (members: readonly (readonly [string, string])[]) =>
  tokenRequest(parseForm(new URLSearchParams(members.map(([name, value]) => [name, value])).toString()) as Form, 'z');
const exchange = (...members: [string, string][]) => read([['grant_type', TOKEN_EXCHANGE], ...members]);
const credentials = (...members: [string, string][]) => read([['grant_type', 'client_credentials'], ...members]);
const reasonOf = (answer: unknown) => (answer instanceof Denied ? answer.reason : undefined);

describe('tokenRequest', () => {
  it('reads resources and audiences as one list, each once', () => {
    const answer = credentials(['resource', 'r:a'], ['resource', 'r:b'], ['audience', 'r:a']);
    expect(answer).toMatchObject({ resources: ['r:a', 'r:b'], scopes: undefined, ttlSeconds: undefined });
  });

  it('reads scopes, each once, and refuses what is none', () => {
    expect(credentials(['scope', 'b a b'])).toMatchObject({ scopes: ['b', 'a'] });
    for (const scope of [' a', 'a  b', 'a"', 'a\\', 'ä']) {
      expect(credentials(['scope', scope])).toMatchObject({ error: 'invalid_scope' });
    }
  });

  it('refuses resources that are no absolute URI without a fragment', () => {
    for (const resource of ['billing', '/a', 'r:a#b', 'r:a,r:b', 'r:', ' r:a']) {
      expect(credentials(['resource', resource])).toMatchObject({ error: 'invalid_target' });
    }
  });

  it('takes whole seconds above 0 as life', () => {
    expect(credentials(['ttl_seconds', '60'])).toMatchObject({ ttlSeconds: 60 });
    for (const ttl of ['0', '-1', '1.5', '1e3', '060', 'x', '9999999999']) {
      expect(reasonOf(credentials(['ttl_seconds', ttl]))).toBe('ttl_malformed');
    }
  });

  it('refuses other grants and another zone', () => {
    expect(read([])).toMatchObject({ error: 'invalid_request' });
    expect(read([['grant_type', 'password']])).toMatchObject({ error: 'unsupported_grant_type' });
    expect(reasonOf(credentials(['zone_id', 'other']))).toBe('zone_unknown');
    expect(reasonOf(credentials(['zone_id', 'z']))).toBeUndefined();
  });

  it('demands the type of a subject token', () => {
    expect(exchange(['subject_token', 't'], ['subject_token_type', ACCESS_TOKEN_TYPE])).toMatchObject({
      subjectToken: 't',
    });
    expect(reasonOf(exchange(['subject_token', 't']))).toBe('subject_token_type_unknown');
    expect(reasonOf(exchange(['subject_token_type', ACCESS_TOKEN_TYPE]))).toBe('subject_token_missing');
  });

  it("exchanges without a subject token in the form of Caracal's clients alone", () => {
    expect(reasonOf(exchange())).toBe('subject_token_missing');
    expect(reasonOf(exchange(['application_id', 'a']))).toBe('subject_token_missing');
    const caracal = exchange(['application_id', 'a'], ['client_secret', 's']);
    expect(caracal).toMatchObject({ subjectToken: undefined });
  });

  it('refuses an actor and other types of token', () => {
    expect(reasonOf(exchange(['subject_token', 't'], ['actor_token', 't']))).toBe('actor_token_not_accepted');
    const saml = 'urn:ietf:params:oauth:token-type:saml2';
    expect(reasonOf(exchange(['subject_token', 't'], ['requested_token_type', saml]))).toBe(
      'requested_token_type_unknown',
    );
  });
});
