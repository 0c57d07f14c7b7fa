import { randomBytes } from 'node:crypto';
import type { Clock, SecretBinding } from '@caracal/core';
import type { TokenBox } from '../tokens/token-box.js';
import type { ConnectTicket } from './links.js';

/** How long connecting may take, ms. */
export const SESSION_LIFE_MS = 15 * 60_000;

/** `sign_in`: at the subject's issuer. `deciding`: the person reads what is granted. `granting`: at the upstream's server. */
export type ConnectStep = 'sign_in' | 'deciding' | 'granting';

/** One browser's way through connecting. Kept sealed in its cookie alone, so that any process can go on with it. */
export interface ConnectSession {
  readonly id: string;
  readonly step: ConnectStep;
  readonly ticket: ConnectTicket;
  /** `state` of the request that is out, or the form's token. Good once. */
  readonly once: string;
  /** PKCE verifier of the request that is out. */
  readonly verifier: string;
  readonly nonce: string;
  /** Wall clock, ms: when this step began. */
  readonly beganAtMs: number;
  /** Wall clock, ms. */
  readonly expiresAtMs: number;
}

const SESSION_ID = /^[A-Za-z0-9_-]{16}$/;

/** Sessions in cookies: one a session, so that two tabs do not disturb each other. */
export class ConnectSessions {
  readonly #box: TokenBox;
  readonly #clock: Clock;
  readonly #isSecure: boolean;
  readonly #binding: SecretBinding;

  constructor(box: TokenBox, clock: Clock, publicUrl: string) {
    this.#box = box;
    this.#clock = clock;
    this.#isSecure = publicUrl.startsWith('https:');
    this.#binding = {
      zoneId: 'connect',
      providerId: 'connect',
      field: 'session',
      origins: [new URL(publicUrl).origin],
    };
  }

  /** The next step of a session, or its first. Everything that is good once is made anew. */
  next(ticket: ConnectTicket, step: ConnectStep, before?: ConnectSession): ConnectSession {
    const now = this.#clock.now();
    const id = before?.id ?? randomText(12);
    const expiresAtMs = before?.expiresAtMs ?? now + SESSION_LIFE_MS;
    // The id leads to the cookie when only `state` comes back.
    const once = `${id}.${randomText(24)}`;
    return { id, step, ticket, once, verifier: randomText(32), nonce: randomText(24), beganAtMs: now, expiresAtMs };
  }

  /** `Set-Cookie` that keeps it. */
  async kept(session: ConnectSession): Promise<string> {
    const sealed = await this.#box.seal(JSON.stringify(session), this.#binding);
    const seconds = Math.max(1, Math.floor((session.expiresAtMs - this.#clock.now()) / 1_000));
    return this.#cookie(session.id, sealed, seconds);
  }

  /** `Set-Cookie` that ends it. */
  ended({ id }: ConnectSession): string {
    return this.#cookie(id, '', 0);
  }

  /** The session that `state` or a form's token belongs to, where this browser has it, it waits for this step, and is not over. */
  async find(request: Request, once: string | null, step: ConnectStep): Promise<ConnectSession | undefined> {
    const session = await this.byId(request, once?.split('.')[0] ?? '', step);
    return session?.once === once ? session : undefined;
  }

  /** The session of this id, likewise. */
  async byId(request: Request, id: string, step: ConnectStep): Promise<ConnectSession | undefined> {
    const sealed = SESSION_ID.test(id) ? cookieValue(request.headers.get('cookie'), this.#name(id)) : undefined;
    const opened = sealed === undefined ? undefined : await this.#box.openOrForget(sealed, this.#binding);
    if (opened === undefined) return undefined;
    const session = JSON.parse(opened) as ConnectSession;
    return session.id === id && session.step === step && this.#clock.now() < session.expiresAtMs ? session : undefined;
  }

  // With the prefix a browser takes it from nobody but this very host, over TLS. Lax: it comes along when a server sends the browser back.
  #cookie(id: string, value: string, seconds: number): string {
    const secure = this.#isSecure ? '; Secure' : '';
    return `${this.#name(id)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
  }

  #name(id: string): string {
    return `${this.#isSecure ? '__Host-' : ''}caracal-connect-${id}`;
  }
}

function cookieValue(header: string | null, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const [key, value] = pair.trim().split('=', 2);
    if (key === name) return value;
  }
  return undefined;
}

function randomText(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
