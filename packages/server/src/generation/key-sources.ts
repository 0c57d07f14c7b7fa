import { type IssuerOptions, issuerKeySource, type KeySource, type Outbound, systemClock } from '@caracal/core';
import type { Configuration } from '../configuration/configuration.js';
import type { Log } from '../log/log.js';

type IssuerConfiguration = Configuration['issuers'][number];

const DEFAULT_ALGORITHMS = ['ES256', 'EdDSA'] as const;

/**
 * The key sets of other issuers. They outlive a reload that does not change their issuer: else every reload would fetch
 * them all again, and lose the last good ones where an issuer is down just then.
 */
export class KeySources {
  readonly #outbound: Outbound;
  readonly #log: Log;
  #sources = new Map<string, KeySource>();

  constructor(outbound: Outbound, log: Log) {
    this.#outbound = outbound;
    this.#log = log;
  }

  /** Options of the issuers, each with its source. `commit` forgets the sources of all others. */
  of(issuers: readonly IssuerConfiguration[], zone: string): { readonly issuers: IssuerOptions[]; commit(): void } {
    const sources = new Map<string, KeySource>();
    const options = issuers.map((issuer) => {
      const { jwksUri: _, keys: __, allowPrivateNetwork: ___, ...rest } = issuer;
      const identity = JSON.stringify(issuer);
      const keySource = this.#sources.get(identity) ?? this.#make(issuer);
      sources.set(identity, keySource);
      return { zone, ...rest, keySource };
    });
    const commit = (): void => {
      this.#sources = sources;
    };
    return { issuers: options, commit };
  }

  #make(issuer: IssuerConfiguration): KeySource {
    return issuerKeySource(issuer, 'issuers', {
      outbound: this.#outbound,
      clock: systemClock,
      algorithms: new Set(issuer.algorithms ?? DEFAULT_ALGORITHMS),
      onWarning: (message) => this.#log({ level: 'warn', event: 'issuer_keys', issuer: issuer.issuer, message }),
    });
  }
}
