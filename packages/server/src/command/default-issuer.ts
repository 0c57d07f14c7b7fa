import type { Configuration } from '../configuration/configuration.js';
import { wrongUse } from '../frame/command-error.js';
import { tokenServiceIssuer } from './public-urls.js';

/** Whose an identifier is where nothing is said: the token service's, else the only issuer's. @throws CommandError */
export function defaultIssuer(configuration: Configuration): string {
  const { tokenService, issuers } = configuration;
  if (tokenService !== undefined) return tokenServiceIssuer(configuration);
  const [only, ...more] = issuers;
  if (only !== undefined && more.length === 0) return only.issuer;
  if (only === undefined) throw wrongUse('the configuration has no issuer; say whose it is: --issuer URL');
  throw wrongUse(`say whose it is: --issuer ${issuers.map(({ issuer }) => issuer).join(' or --issuer ')}`);
}
