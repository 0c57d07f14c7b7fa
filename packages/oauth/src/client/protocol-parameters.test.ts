import { describe, expect, it } from 'vitest';
import { extraParameters } from './protocol-parameters.js';

describe('extraParameters', () => {
  it('takes a vendor’s own', () => {
    expect(extraParameters('f', 'extraParameters', { access_type: 'offline' })).toEqual([['access_type', 'offline']]);
  });

  it.each(['grant_type', 'scope', 'Client_Secret', ' redirect_uri', 'state', 'code_challenge_method', 'response_mode'])(
    'lets %j stand for nothing of the protocol',
    (name) => {
      expect(() => extraParameters('f', 'extraParameters', { [name]: 'x' })).toThrow('is a parameter of the protocol');
    },
  );
});
