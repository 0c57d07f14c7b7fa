import { exportJWK, generateKeyPair, type JWK } from 'jose';

/** Claims as they are signed; a member that is `undefined` is left out. */
export type Claims = Readonly<Record<string, unknown>>;

/** What a test issuer can sign with. */
export type TestAlgorithm = 'ES256' | 'EdDSA' | 'RS256' | 'PS256';

/** Options of {@link createTestIssuer}. */
export interface TestIssuerOptions {
  /** Its `iss`. Default `https://issuer.test`. */
  readonly issuer?: string;
  /** The zone it is trusted for. Default `default`. */
  readonly zoneId?: string;
  /** Default `ES256`. */
  readonly algorithm?: TestAlgorithm;
  /** Which claims and which `typ` its mandates have. Default `caracal`. */
  readonly profile?: 'caracal' | 'rfc9068';
  /** Default `test-key`. Two issuers with one `issuer` and one `kid` make a forger. */
  readonly kid?: string;
}

/** An issuer whose key was made a moment ago: what it signs is good in no other process. */
export interface TestIssuer {
  readonly issuer: string;
  readonly zoneId: string;
  readonly algorithm: TestAlgorithm;
  readonly profile: 'caracal' | 'rfc9068';
  readonly kid: string;
  /** The public key set. */
  jwks(): { keys: JWK[] };
  /** The claims {@link TestIssuer.mint} would sign: valid for 300 s, with a `jti` and sessions of their own. */
  claims(overrides?: Claims): Record<string, unknown>;
  /** A mandate: valid, but for what the overrides spoil. */
  mint(claims?: Claims, header?: Claims): Promise<string>;
  /** Signs whatever texts these are: for mandates no library would make. */
  sign(headerText: string, payload: string | Uint8Array): Promise<string>;
}

/** Seconds a mandate lives unless `exp` says otherwise. */
export const TEST_MANDATE_LIFE_SECONDS = 300;

const SIGNING: Readonly<Record<TestAlgorithm, Parameters<typeof crypto.subtle.sign>[0]>> = {
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  PS256: { name: 'RSA-PSS', saltLength: 32 },
};

/** Makes an issuer with a fresh key pair. */
export async function createTestIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const { issuer = 'https://issuer.test', zoneId = 'default', kid = 'test-key' } = options;
  const { algorithm = 'ES256', profile = 'caracal' } = options;
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' };
  // Not through a library's signer: those refuse to make the mandates that verifiers have to refuse.
  const sign = async (headerText: string, payload: string | Uint8Array): Promise<string> => {
    const input = `${base64url(headerText)}.${base64url(payload)}`;
    const signature = await crypto.subtle.sign(SIGNING[algorithm], privateKey, new TextEncoder().encode(input));
    return `${input}.${base64url(new Uint8Array(signature))}`;
  };
  const claims = (overrides: Claims = {}): Record<string, unknown> => ({
    ...(profile === 'caracal' ? caracalClaims(issuer, zoneId) : rfc9068Claims(issuer)),
    ...overrides,
  });
  return Object.freeze({
    issuer,
    zoneId,
    algorithm,
    profile,
    kid,
    jwks: () => ({ keys: [{ ...jwk }] }),
    claims,
    mint: (overrides?: Claims, header: Claims = {}) =>
      sign(JSON.stringify({ alg: algorithm, kid, typ: 'at+jwt', ...header }), JSON.stringify(claims(overrides))),
    sign,
  });
}

/** base64url without padding. Text is encoded as UTF-8. @see RFC 7515 section 2 */
export function base64url(content: string | Uint8Array): string {
  return Buffer.from(content as Uint8Array).toString('base64url');
}

function caracalClaims(issuer: string, zoneId: string): Record<string, unknown> {
  return {
    ...registeredClaims(issuer),
    aud: issuer,
    zone_id: zoneId,
    client_id: 'test-agent',
    use: 'gateway',
    sub_type: 'user',
    sid: crypto.randomUUID(),
    root_sid: crypto.randomUUID(),
    target: ['resource://example'],
    scope: '',
  };
}

function rfc9068Claims(issuer: string): Record<string, unknown> {
  return { ...registeredClaims(issuer), aud: 'resource://example', client_id: 'test-agent', scope: '' };
}

function registeredClaims(issuer: string): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  const life = TEST_MANDATE_LIFE_SECONDS;
  return { iss: issuer, sub: 'test-user', iat: now, exp: now + life, jti: crypto.randomUUID() };
}
