import { addressPolicy } from '../forward/address-policy.js';
import type { IssuerEnvironment, IssuerOptions } from './issuers.js';
import type { KeySource } from './key-source.js';
import { localKeySource } from './local-key-source.js';
import { remoteKeySource } from './remote-key-source.js';

const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1/128'];
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** What the key source of one issuer is made with. */
export interface IssuerKeySourceEnvironment extends IssuerEnvironment {
  readonly algorithms: ReadonlySet<string>;
}

/** The key source an issuer's options ask for. @throws TypeError that names the option and the remedy */
export function issuerKeySource(
  options: IssuerOptions,
  where: string,
  environment: IssuerKeySourceEnvironment,
): KeySource {
  const { issuer, jwksUri, keys, keySource, allowPrivateNetwork } = options;
  if ([jwksUri, keys, keySource].filter((source) => source !== undefined).length !== 1) {
    throw new TypeError(`${where}: give exactly one of jwksUri, keys and keySource`);
  }
  if (allowPrivateNetwork !== undefined && jwksUri === undefined) {
    throw new TypeError(`${where}.allowPrivateNetwork: only a jwksUri leads to an address; remove it`);
  }
  const owner = { issuer, onWarning: environment.onWarning, algorithms: environment.algorithms };
  if (keySource !== undefined) return checkedKeySource(keySource, where);
  if (keys !== undefined) {
    if (!Array.isArray(keys)) throw new TypeError(`${where}.keys: give a list of public JWKs`);
    return localKeySource({ ...owner, keys });
  }
  const { outbound, clock } = environment;
  if (outbound === undefined) throw new TypeError(`${where}.jwksUri: give an outbound that can fetch it, or use keys`);
  const url = keySetUrl(jwksUri, where);
  const policy = addressPolicy(allowedNetworks(url, allowPrivateNetwork));
  return remoteKeySource({ ...owner, jwksUri: url.href, outbound, clock, addressPolicy: policy });
}

function checkedKeySource(source: KeySource, where: string): KeySource {
  const { current, refresh, version } = source;
  if (typeof current !== 'function' || typeof refresh !== 'function' || typeof version !== 'function') {
    throw new TypeError(`${where}.keySource: it needs the functions current, refresh and version`);
  }
  return source;
}

function keySetUrl(jwksUri: unknown, where: string): URL {
  const url = typeof jwksUri === 'string' && URL.canParse(jwksUri) ? new URL(jwksUri) : undefined;
  if (url === undefined) throw new TypeError(`${where}.jwksUri: give an absolute URL`);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK_HOST.test(url.hostname))) {
    throw new TypeError(`${where}.jwksUri: use https; http is for loopback only`);
  }
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw new TypeError(`${where}.jwksUri: remove userinfo and fragment`);
  }
  return url;
}

function allowedNetworks(url: URL, allow: boolean | readonly string[] | undefined) {
  if (allow === true || !LOOPBACK_HOST.test(url.hostname)) return allow;
  return Array.isArray(allow) ? [...(allow as readonly string[]), ...LOOPBACK] : LOOPBACK;
}
