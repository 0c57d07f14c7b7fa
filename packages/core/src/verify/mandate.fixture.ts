import { base64url } from 'jose';
import type { Clock } from '../clock.js';
import type { SignatureAlgorithm } from './signature.js';

/** An issuer of tests: its key pair is made anew for every run. */
export interface FixtureIssuer {
  readonly jwk: Record<string, unknown>;
  /** Signs any header and payload; objects become JSON, texts and bytes stay as they are. */
  sign(payload: unknown, header?: unknown): Promise<string>;
}

const KEY_PARAMETERS = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  EdDSA: { name: 'Ed25519' },
  RS256: rsa('RSASSA-PKCS1-v1_5'),
  PS256: rsa('RSA-PSS'),
};
const SIGN_PARAMETERS = {
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  PS256: { name: 'RSA-PSS', saltLength: 32 },
};

/** Makes an issuer with one key. */
export async function fixtureIssuer(alg: SignatureAlgorithm = 'ES256', kid = 'k1'): Promise<FixtureIssuer> {
  const pair = (await crypto.subtle.generateKey(KEY_PARAMETERS[alg], true, ['sign', 'verify'])) as CryptoKeyPair;
  const exported = await crypto.subtle.exportKey('jwk', pair.publicKey);
  const { ext: _, key_ops: __, ...jwk } = exported as Record<string, unknown>;
  return {
    jwk: { ...jwk, kid, alg, use: 'sig' },
    sign: async (payload, header = { alg, kid, typ: 'at+jwt' }) => {
      const signed = `${segment(header)}.${segment(payload)}`;
      const bytes = new TextEncoder().encode(signed);
      const signature = await crypto.subtle.sign(SIGN_PARAMETERS[alg], pair.privateKey, bytes);
      return `${signed}.${base64url.encode(new Uint8Array(signature))}`;
    },
  };
}

/** Seconds since the epoch at which the clocks of these tests begin. */
export const NOW = 1_800_000_000;

/** The issuer of {@link gatewayClaims}. */
export const ISSUER = 'https://sts.example';

/** Every claim a `gateway` mandate of profile `caracal` must have. */
export function gatewayClaims(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    iss: ISSUER,
    sub: 'agent-1',
    aud: ISSUER,
    exp: NOW + 900,
    iat: NOW,
    jti: 'jti-1',
    zone_id: 'default',
    client_id: 'billing-agent',
    scope: 'billing:read billing:submit',
    use: 'gateway',
    sub_type: 'application',
    target: ['resource://billing-api'],
    sid: 'sid-1',
    root_sid: 'root-1',
    ...more,
  };
}

/** The claims without some of them. */
export function without(claims: Record<string, unknown>, ...names: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)));
}

/** A clock that stands still until it is told otherwise. */
export interface FixtureClock extends Clock {
  wallMs: number;
  monotonicMs: number;
  /** Lets time pass on both clocks. */
  pass(ms: number): void;
}

/** A clock at {@link NOW}. */
export function fixtureClock(): FixtureClock {
  const clock: FixtureClock = {
    wallMs: NOW * 1000,
    monotonicMs: 5_000,
    now: () => clock.wallMs,
    monotonic: () => clock.monotonicMs,
    pass: (ms) => {
      clock.wallMs += ms;
      clock.monotonicMs += ms;
    },
  };
  return clock;
}

function rsa(name: string) {
  return { name, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };
}

function segment(value: unknown): string {
  if (value instanceof Uint8Array) return base64url.encode(value);
  return base64url.encode(typeof value === 'string' ? value : JSON.stringify(value));
}

/** A promise the test settles when it likes. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

/** Makes a {@link Deferred}; `Promise.withResolvers` came after Node 20. */
export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
