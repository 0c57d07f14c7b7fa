import { type KeySet, type KeySource, localKeySource } from '@caracal/core';
import type { IssuedMandate, IssueOptions, TokenService } from '@caracal/sts';
import type { Channel } from './channel.js';

/** The public keys of the primary's token service at one moment. */
export interface ToldKeys {
  readonly issuer: string;
  readonly version: number;
  readonly keys: readonly object[];
}

/** What a process that runs no token service of its own knows of the one beside it. */
export interface RemoteIssuer {
  readonly issuer: string;
  readonly keySource: KeySource;
  issue(options: IssueOptions): ReturnType<TokenService['issue']>;
}

/** The primary's token service, as a worker has it: its public keys, and mandates on request. Private keys stay where they are. */
export class WorkerIssuer implements RemoteIssuer {
  readonly issuer: string;
  readonly #channel: Channel;
  readonly #timeoutMs: number;
  #set: KeySet | undefined;
  #told = Number.NEGATIVE_INFINITY;

  constructor(issuer: string, channel: Channel, timeoutMs: number) {
    this.issuer = issuer;
    this.#channel = channel;
    this.#timeoutMs = timeoutMs;
  }

  readonly keySource: KeySource = {
    current: () => this.#set ?? this.#refresh(),
    refresh: () => this.#refresh(),
    version: () => this.#set?.version,
  };

  /** Keys that the primary tells of: those from now on, in the order in which they were told. */
  async take({ issuer, version, keys }: ToldKeys): Promise<void> {
    if (version < this.#told) return;
    this.#told = version;
    const algorithms = new Set(['ES256', 'EdDSA']);
    const set = await localKeySource({ issuer, keys, algorithms, onWarning: () => {} }).current();
    if (version >= (this.#set?.version ?? 0))
      this.#set = Object.freeze({ version, get: (kid: string) => set.get(kid) });
  }

  async issue(options: IssueOptions): Promise<IssuedMandate> {
    return this.#channel.ask({ code: 'credential_unavailable', timeoutMs: this.#timeoutMs }, 'issue', options);
  }

  async #refresh(): Promise<KeySet> {
    const asking = { code: 'issuer_unavailable', timeoutMs: this.#timeoutMs } as const;
    await this.take(await this.#channel.ask<ToldKeys>(asking, 'keys'));
    return this.#set!;
  }
}

/** The keys of the token service in force, numbered anew whenever they differ: each configuration's service counts for itself. */
export function keysToTell(tokens: () => TokenService | undefined): () => ToldKeys | undefined {
  let version = 0;
  let text = '';
  return () => {
    const service = tokens();
    if (service === undefined) return undefined;
    const { keys } = service.jwks();
    const now = JSON.stringify(keys);
    if (now !== text) version += 1;
    text = now;
    return { issuer: service.issuer, version, keys };
  };
}
