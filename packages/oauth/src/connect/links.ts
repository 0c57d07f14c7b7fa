import { randomUUID } from 'node:crypto';
import {
  type Clock,
  type ConnectionKey,
  providerId,
  refuseUnknownOptions,
  type SealingKey,
  type SecretBinding,
  systemClock,
} from '@caracal/core';
import { endpointUrl } from '../client/client-options.js';
import { TokenBox } from '../tokens/token-box.js';
import { ConnectInputError } from './connect-input-error.js';

/** Life of an address that a refusal names, ms: an agent shows it to its user, who is there. */
export const LINK_LIFE_MS = 60 * 60_000;
/** Default life of an invitation, s. */
export const DEFAULT_INVITATION_SECONDS = 15 * 60;
/** Longest life of an invitation, s. */
export const MAX_INVITATION_SECONDS = 24 * 60 * 60;

/** What a link is for. Sealed: it can be read and made by holders of the sealing keys alone. */
export interface ConnectTicket extends ConnectionKey {
  /** The application that met the refusal. */
  readonly applicationId?: string | undefined;
  readonly resource?: string | undefined;
  /** Made by an administrator: whoever opens it first connects, without signing in. */
  readonly invited: boolean;
  readonly id: string;
  /** Wall clock, ms. */
  readonly madeAtMs: number;
  /** Wall clock, ms. */
  readonly expiresAtMs: number;
}

/** Makes and reads the addresses at which people connect accounts. */
export interface ConnectLinks {
  /** Scheme, host and path below which the connect pages are, without a trailing slash. */
  readonly publicUrl: string;
  /** For a subject, who has to sign in there. Good for an hour. */
  uriFor(of: ConnectionKey & { readonly applicationId?: string; readonly resource?: string }): Promise<string>;
  /**
   * For whoever opens it first, once, without signing in: to be made for administrators alone. `ttlSeconds`: default 900, at most
   * 86,400. @throws ConnectInputError
   */
  invitation(of: ConnectionKey & { readonly ttlSeconds?: number }): Promise<string>;
  /** What a link's text was made for; `undefined` where it is not ours or has ended. */
  open(text: string): Promise<ConnectTicket | undefined>;
  /** The redirect URI of a provider, unless it says another. */
  callbackUri(providerId: string): string;
}

/** Options of {@link connectLinks}. */
export interface ConnectLinksOptions {
  /** Where browsers reach the service that hosts the connect pages: https, or http on loopback. */
  readonly publicUrl: string;
  /** The same keys wherever links are made and opened. */
  readonly sealing: readonly SealingKey[];
  readonly clock?: Clock;
}

/** Below the public URL. */
export const CONNECT_PATH = '/connect';

/**
 * Addresses for connecting accounts. The gateway makes them, the connect service opens them: give both the same `publicUrl` and keys.
 *
 * @throws TypeError at creation
 */
export function connectLinks(options: ConnectLinksOptions): ConnectLinks {
  refuseUnknownOptions('connectLinks', options, ['publicUrl', 'sealing', 'clock']);
  const { clock = systemClock } = options;
  const publicUrl = endpointUrl('connectLinks', 'publicUrl', options.publicUrl).replace(/\/$/, '');
  if (publicUrl.includes('?')) throw new TypeError('connectLinks: publicUrl has no query');
  const box = new TokenBox(options.sealing);
  const binding: SecretBinding = {
    zoneId: 'connect',
    providerId: 'connect',
    field: 'ticket',
    origins: [new URL(publicUrl).origin],
  };

  async function linkTo(
    ticket: Omit<ConnectTicket, 'id' | 'madeAtMs' | 'expiresAtMs'>,
    lifeMs: number,
  ): Promise<string> {
    const madeAtMs = clock.now();
    const sealed = await box.seal(
      JSON.stringify({ ...ticket, id: randomUUID(), madeAtMs, expiresAtMs: madeAtMs + lifeMs }),
      binding,
    );
    return `${publicUrl}${CONNECT_PATH}?t=${sealed}`;
  }

  return Object.freeze({
    publicUrl,
    uriFor: ({ zoneId, providerId, owner, applicationId, resource }) =>
      linkTo({ zoneId, providerId, owner, applicationId, resource, invited: false }, LINK_LIFE_MS),
    invitation: ({ zoneId, providerId, owner, ttlSeconds = DEFAULT_INVITATION_SECONDS }) => {
      if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > MAX_INVITATION_SECONDS) {
        throw new ConnectInputError(`invitation: ttlSeconds is a whole number from 1 to ${MAX_INVITATION_SECONDS}`);
      }
      return linkTo({ zoneId, providerId, owner, invited: true }, ttlSeconds * 1_000);
    },
    open: async (text) => {
      const opened = await box.openOrForget(text, binding);
      const ticket = opened === undefined ? undefined : (JSON.parse(opened) as ConnectTicket);
      return ticket !== undefined && clock.now() < ticket.expiresAtMs ? ticket : undefined;
    },
    callbackUri: (id) => `${publicUrl}${CONNECT_PATH}/callback/${pathName(providerId('connectLinks', id))}`,
  } satisfies ConnectLinks);
}

/** A name for a path: the id without its scheme, everything unusual as a dash. */
export function pathName(id: string): string {
  return id.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').replace(/[^A-Za-z0-9._-]+/g, '-');
}
