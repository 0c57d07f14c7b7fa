import {
  type AuditSink,
  type Clock,
  type Durability,
  generateSealingKey,
  memoryTokenCache,
  type Outbound,
  type SealingKey,
  type SecretStore,
  systemClock,
  type TokenCache,
} from '@caracal/core';
import { ConnectionEvidence } from './connection-evidence.js';
import { type OAuthEvent, quietly } from './event.js';
import { TokenBox } from './tokens/token-box.js';

/** What every factory of this package works with; one object can serve them all. */
export interface OAuthServices {
  /** Every call to an authorization server goes through it. */
  readonly outbound: Outbound;
  /** Default: in this process's memory. One that is shared needs `sealing`. */
  readonly tokenCache?: TokenCache;
  /** Keys that seal tokens wherever they are kept: the first seals, all open. Default: a random one of this process. */
  readonly sealing?: readonly SealingKey[];
  /** Opens secrets that are references. */
  readonly secrets?: SecretStore;
  readonly clock?: Clock;
  /** Told of what happens to tokens and connections. Holds no secret. */
  readonly onEvent?: (event: OAuthEvent) => void;
  /** Where evidence goes of who connects accounts and disconnects them. Default: nowhere. */
  readonly audit?: ConnectionAuditOptions;
}

/** What evidence of connections is made with. */
export interface ConnectionAuditOptions {
  readonly sink: AuditSink;
  /** Default `written`. */
  readonly durability?: Durability;
  /** Records on their way to the sink at once. Default 1,000. */
  readonly room?: number;
  /** How long a record may take that something waits for, ms. Default 5,000. */
  readonly timeoutMs?: number;
  /** Name in records. Default `gateway`. */
  readonly gatewayId?: string;
  /** Told of a record that could not be written while what it tells of went on. */
  readonly onFault?: (cause: unknown) => void;
}

/** Names of {@link OAuthServices}. */
export const SERVICE_OPTIONS: readonly (keyof OAuthServices)[] = [
  'outbound',
  'tokenCache',
  'sealing',
  'secrets',
  'clock',
  'onEvent',
  'audit',
];

/** Services with every default filled in. */
export interface Services {
  readonly outbound: Outbound;
  readonly tokenCache: TokenCache;
  readonly box: TokenBox;
  readonly secrets: SecretStore | undefined;
  readonly clock: Clock;
  readonly tell: (event: OAuthEvent) => void;
  readonly evidence: ConnectionEvidence;
}

/**
 * Checks services and fills in defaults.
 *
 * @throws TypeError where a cache or store that may lie outside this process is given without keys to seal with.
 */
export function servicesOf(factory: string, options: OAuthServices, shared: boolean): Services {
  const { outbound, tokenCache, sealing, secrets, clock = systemClock, onEvent, audit } = options;
  if (typeof outbound?.fetch !== 'function') throw new TypeError(`${factory}: outbound is an Outbound`);
  if (audit !== undefined && typeof audit.sink?.append !== 'function') {
    throw new TypeError(`${factory}: audit.sink is an AuditSink`);
  }
  if (sealing === undefined && (shared || tokenCache !== undefined)) {
    throw new TypeError(`${factory}: sealing is needed: keys that seal tokens before a store sees them`);
  }
  return {
    outbound,
    tokenCache: tokenCache ?? memoryTokenCache({ clock }),
    box: new TokenBox(sealing ?? [{ id: 'process', key: generateSealingKey() }]),
    secrets,
    clock,
    tell: quietly(onEvent),
    evidence: new ConnectionEvidence(audit, clock),
  };
}
