import type { CryptoKey } from 'jose';
import type { Awaitable } from '../pipeline.js';

/** One usable public key. It serves exactly one algorithm. */
export interface VerificationKey {
  readonly kid: string;
  readonly alg: 'ES256' | 'EdDSA' | 'RS256' | 'PS256';
  readonly key: CryptoKey;
}

/** The usable public keys of one issuer at one moment. */
export interface KeySet {
  /** Changes whenever the keys do: cached verdicts belong to one version. */
  readonly version: number;
  get(kid: string): VerificationKey | undefined;
}

/**
 * Port: which public keys does this issuer use? A throw means they cannot be had, and is answered `issuer_unavailable`.
 */
export interface KeySource {
  /** The set in force, synchronously while it is fresh. */
  current(): Awaitable<KeySet>;
  /** Called when the set lacks this `kid`: looks again where that is allowed, else answers the set in force. */
  refresh(kid: string): Awaitable<KeySet>;
  /** Version of the set in force, without waiting; `undefined` before the first one. */
  version(): number | undefined;
}
