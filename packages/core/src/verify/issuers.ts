import type { Clock } from '../clock.js';
import type { Outbound } from '../forward/outbound.js';
import { isIdentifier, isName } from './claim-values.js';
import type { ClaimRules } from './claims.js';
import { issuerKeySource } from './issuer-key-source.js';
import { type HeaderRules, normalizedType } from './jose-header.js';
import type { KeySource } from './key-source.js';
import { CLAIM_NAMES, type ClaimNames } from './rfc9068-profile.js';
import { DEFAULT_ALGORITHMS, SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from './signature.js';

/** One issuer whose mandates are trusted, for one zone. Exactly one of `jwksUri`, `keys` and `keySource` is given. */
export interface IssuerOptions {
  /** The exact `iss` of its mandates. */
  readonly issuer: string;
  /** The zone it is trusted for. Default {@link DEFAULT_ZONE}. */
  readonly zone?: string;
  /** How its claims are read. Default `caracal`. */
  readonly profile?: 'caracal' | 'rfc9068';
  /** Where its key set is: https, or http on loopback. */
  readonly jwksUri?: string;
  /** Its public keys as JWKs, each with a `kid`. */
  readonly keys?: readonly object[];
  readonly keySource?: KeySource;
  /** What it may sign with. Default {@link DEFAULT_ALGORITHMS}. */
  readonly algorithms?: readonly SignatureAlgorithm[];
  /** What `typ` may be, without case and `application/`. Default {@link DEFAULT_TYPES} of the profile. */
  readonly types?: readonly string[];
  /** Profile `rfc9068`: names of the claims that the RFC does not define. */
  readonly claims?: ClaimNames;
  /** Whether `jwksUri` may lead to private addresses: all of them, or those in a list of CIDR blocks. Default false. */
  readonly allowPrivateNetwork?: boolean | readonly string[];
}

/** Zone of an issuer that names none. */
export const DEFAULT_ZONE = 'default';

/** What `typ` may be where an issuer's option does not say. @see RFC 9068 section 2.1 */
export const DEFAULT_TYPES: Readonly<Record<'caracal' | 'rfc9068', readonly string[]>> = Object.freeze({
  caracal: Object.freeze(['jwt', 'at+jwt']),
  rfc9068: Object.freeze(['at+jwt']),
});

/** An issuer ready to have mandates judged. */
export interface TrustedIssuer extends HeaderRules, ClaimRules {
  readonly keySource: KeySource;
}

/** What key sources are made with. */
export interface IssuerEnvironment {
  /** Needed where an issuer has a `jwksUri`. */
  readonly outbound: Outbound | undefined;
  readonly clock: Clock;
  /** Told in one line of keys that are not used, and of fetches that fail. */
  readonly onWarning: (message: string) => void;
}

const KNOWN: readonly string[] = [
  'issuer',
  'zone',
  'profile',
  'jwksUri',
  'keys',
  'keySource',
  'algorithms',
  'types',
  'claims',
  'allowPrivateNetwork',
] satisfies (keyof IssuerOptions)[];

/** Checks the options of every issuer and makes its key source. @throws TypeError that names the option and the remedy */
export function trustedIssuers(
  options: readonly IssuerOptions[],
  environment: IssuerEnvironment,
): ReadonlyMap<string, TrustedIssuer> {
  const issuers = new Map<string, TrustedIssuer>();
  for (const [index, entry] of options.entries()) {
    const issuer = trustedIssuer(entry, `issuers[${index}]`, environment);
    // Its keys would vouch for two zones, and which one a mandate is in would depend on the order of a list.
    if (issuers.has(issuer.issuer)) throw new TypeError(`issuers[${index}]: ${issuer.issuer} is listed twice`);
    issuers.set(issuer.issuer, issuer);
  }
  return issuers;
}

function trustedIssuer(options: IssuerOptions, where: string, environment: IssuerEnvironment): TrustedIssuer {
  if (typeof options !== 'object' || options === null) throw new TypeError(`${where} is not an object`);
  refuseUnknown(options, KNOWN, where);
  const { issuer, zone = DEFAULT_ZONE, profile = 'caracal', algorithms = DEFAULT_ALGORITHMS, claims = {} } = options;
  if (!isIdentifier(issuer)) throw new TypeError(`${where}.issuer: give the exact iss of its mandates`);
  if (!isName(zone)) throw new TypeError(`${where}.zone: give 1 to 128 of A-Z a-z 0-9 . _ : -`);
  if (profile !== 'caracal' && profile !== 'rfc9068') {
    throw new TypeError(`${where}.profile: choose caracal or rfc9068`);
  }
  if (!isListOf(algorithms, (alg) => (SIGNATURE_ALGORITHMS as readonly unknown[]).includes(alg))) {
    throw new TypeError(`${where}.algorithms: list one or more of ${SIGNATURE_ALGORITHMS.join(', ')}`);
  }
  const types = options.types ?? DEFAULT_TYPES[profile];
  if (!isListOf(types, isIdentifier)) throw new TypeError(`${where}.types: list one or more media types`);
  checkClaimNames(claims, profile, where);
  const headerRules = { algorithms: new Set(algorithms), types: new Set(types.map(normalizedType)) };
  return Object.freeze({
    issuer,
    zoneId: zone,
    profile,
    claims: Object.freeze({ ...claims }),
    ...headerRules,
    keySource: issuerKeySource(options, where, { ...environment, ...headerRules }),
  });
}

function checkClaimNames(claims: ClaimNames, profile: 'caracal' | 'rfc9068', where: string): void {
  if (typeof claims !== 'object' || claims === null) throw new TypeError(`${where}.claims is not an object`);
  refuseUnknown(claims, CLAIM_NAMES, `${where}.claims`);
  for (const [name, claim] of Object.entries(claims)) {
    if (profile === 'caracal') throw new TypeError(`${where}.claims: profile caracal has fixed claims; remove it`);
    if (claim !== undefined && !isIdentifier(claim))
      throw new TypeError(`${where}.claims.${name}: give a claim's name`);
  }
}

function refuseUnknown(options: object, known: readonly string[], where: string): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw new TypeError(`${where}: unknown option ${key}; known are ${known.join(', ')}`);
  }
}

function isListOf(value: unknown, isMember: (entry: unknown) => boolean): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every(isMember);
}
