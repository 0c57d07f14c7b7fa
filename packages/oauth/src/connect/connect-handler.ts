import type { ReplayStore } from '@caracal/core';
import { AUDIT_UNAVAILABLE, type ConnectionOrigin } from '../connection-evidence.js';
import { faultOf } from '../oauth-fault.js';
import type { Services } from '../services.js';
import type { ConnectableProvider } from '../user/connectable-provider.js';
import { authorizationUrl } from './authorization-request.js';
import { CONNECT_PATH, type ConnectLinks, type ConnectTicket } from './links.js';
import { page, seeOther } from './page.js';
import { connectedPage, decisionPage, disconnectedPage, refusalPage } from './pages.js';
import type { ConnectSession, ConnectSessions } from './session.js';
import type { SignIn } from './sign-in.js';

/** What the handler is made with. */
export interface ConnectHandlerParts {
  readonly links: ConnectLinks;
  readonly sessions: ConnectSessions;
  readonly services: Services;
  readonly replays: ReplayStore;
  readonly providers: ReadonlyMap<string, ConnectableProvider>;
  readonly signIns: readonly SignIn[];
}

const MAX_FORM_BYTES = 4_096;
/** Who issued the states and invitations in the replay store. */
const ONCE_ISSUER = 'caracal:connect';

/** A request, and the address it came from where that is known. */
interface Asked {
  readonly request: Request;
  readonly peer: string | undefined;
}

/** Somebody may not go on; `reason` is fixed text for the event, the page says it in words. */
class Refused {
  readonly reason: string;
  readonly status: number;
  readonly ticket: ConnectTicket | undefined;

  constructor(reason: string, status: number, ticket?: ConnectTicket) {
    this.reason = reason;
    this.status = status;
    this.ticket = ticket;
  }
}

/**
 * The way of a browser: link, sign in at the subject's issuer, page that says what is granted, upstream's authorization server, and
 * back. The state of it is in a sealed cookie; what is good once is so across processes by the replay store.
 */
export class ConnectHandler {
  readonly #parts: ConnectHandlerParts;
  readonly #base: string;
  readonly #origin: string;

  constructor(parts: ConnectHandlerParts) {
    const { origin, pathname } = new URL(parts.links.publicUrl);
    this.#parts = parts;
    this.#origin = origin;
    this.#base = pathname.replace(/\/$/, '') + CONNECT_PATH;
  }

  /** Answers, or `undefined` where the path is not one of its own. Never rejects. */
  async handle(request: Request, peer?: string): Promise<Response | undefined> {
    // Never the Host: which site this is, the configuration says.
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== this.#base && !pathname.startsWith(`${this.#base}/`)) return undefined;
    try {
      const answer = await this.#route({ request, peer }, pathname.slice(this.#base.length), searchParams);
      return answer instanceof Refused ? this.#refuse(answer, peer) : answer;
    } catch (cause) {
      return this.#refuse(new Refused(faultOf(cause, 'connect_failed').reason, 503), peer);
    }
  }

  #route(asked: Asked, path: string, query: URLSearchParams): Promise<Response | Refused> | Refused {
    const { signIns, providers } = this.#parts;
    const { request } = asked;
    const isForm = request.method === 'POST';
    if (!isForm && request.method !== 'GET') return new Refused('method_not_allowed', 405);
    if (path === '/decide') return isForm ? this.#decided(asked) : this.#decide(request, query);
    if (isForm) return new Refused('not_found', 404);
    if (path === '') return this.#begin(query);
    const address = this.#origin + this.#base + path;
    const signIn = signIns.find(({ redirectUri }) => redirectUri === address);
    if (signIn !== undefined) return this.#signedIn(request, query, signIn);
    for (const provider of providers.values()) {
      if (provider.redirectUri === address) return this.#granted(asked, query, provider);
    }
    return new Refused('not_found', 404);
  }

  async #begin(query: URLSearchParams): Promise<Response | Refused> {
    const { links, sessions, providers, signIns } = this.#parts;
    const ticket = await links.open(query.get('t') ?? '');
    if (ticket === undefined) return new Refused('link_not_valid', 400);
    const provider = providers.get(ticket.providerId);
    if (provider === undefined) return new Refused('provider_unknown', 404, ticket);
    if (ticket.invited) return this.#toDecision(sessions.next(ticket, 'deciding'));
    const { owner } = ticket;
    const signIn = owner === 'shared' ? undefined : signIns.find(({ issuer }) => issuer === owner.issuer);
    if (signIn === undefined) return new Refused('sign_in_not_configured', 403, ticket);
    const session = sessions.next(ticket, 'sign_in');
    const { client, redirectUri } = signIn;
    const url = await authorizationUrl({
      client,
      redirectUri,
      session,
      scopeParameter: 'scope',
      extra: [],
      withNonce: true,
    });
    return seeOther(url.href, [await sessions.kept(session)]);
  }

  // The one who signs in must be the one the mandate spoke for: else an agent could hand its link to somebody with a better account.
  async #signedIn(request: Request, query: URLSearchParams, signIn: SignIn): Promise<Response | Refused> {
    const { sessions } = this.#parts;
    const session = await this.#returned(request, query, 'sign_in');
    if (session instanceof Refused) return session;
    const { ticket } = session;
    const { owner } = ticket;
    if (owner === 'shared' || owner.issuer !== signIn.issuer)
      return new Refused('sign_in_of_another_issuer', 403, ticket);
    try {
      const callback = await signIn.client.callback(query, session.once);
      const { redirectUri, client, subjectClaim } = signIn;
      const { verifier, nonce } = session;
      const { claims } = await client.redeem(ticket.zoneId, callback, { redirectUri, verifier, nonce });
      // An address is anybody's who may write it into a profile (OpenID Connect Core 1.0 section 5.7).
      if (subjectClaim === 'email' && claims?.email_verified !== true)
        return new Refused('email_not_verified', 403, ticket);
      const subject = (claims as Readonly<Record<string, unknown>> | undefined)?.[subjectClaim];
      if (typeof subject !== 'string' || subject !== owner.subject)
        return new Refused('signed_in_as_another', 403, ticket);
    } catch (cause) {
      return new Refused(faultOf(cause, 'sign_in_failed').reason, 403, ticket);
    }
    return this.#toDecision(sessions.next(ticket, 'deciding', session));
  }

  async #toDecision(session: ConnectSession): Promise<Response> {
    const { sessions, links } = this.#parts;
    // To an address without a code or ticket in it.
    return seeOther(`${links.publicUrl}${CONNECT_PATH}/decide?s=${session.id}`, [await sessions.kept(session)]);
  }

  async #decide(request: Request, query: URLSearchParams): Promise<Response | Refused> {
    const session = await this.#parts.sessions.byId(request, query.get('s') ?? '', 'deciding');
    const provider = session && this.#parts.providers.get(session.ticket.providerId);
    if (session === undefined || provider === undefined) return new Refused('session_not_valid', 400);
    const { authorization_endpoint: endpoint } = await provider.client.server();
    const existing = await provider.connections.read(session.ticket).catch(() => undefined);
    return decisionPage({
      session,
      provider,
      action: `${this.#base}/decide`,
      authorizationOrigin: new URL(endpoint as string).origin,
      keptAt: this.#origin,
      connectedAtMs: existing?.tokens.connectedAtMs,
    });
  }

  async #decided({ request, peer }: Asked): Promise<Response | Refused> {
    const { sessions, providers } = this.#parts;
    // A browser names where a form comes from; one that does not is held to the token alone.
    const origin = request.headers.get('origin');
    if (origin !== null && origin !== this.#origin) return new Refused('form_of_another_site', 403);
    const form = await formOf(request);
    const session = form && (await sessions.find(request, form.get('once'), 'deciding'));
    if (!form || !session) return new Refused('session_not_valid', 400);
    const { ticket } = session;
    const provider = providers.get(ticket.providerId);
    if (provider === undefined) return new Refused('provider_unknown', 404, ticket);
    const refused = await this.#useUp(session, ticket, 'form_used');
    if (refused !== undefined) return refused;
    if (ticket.invited) {
      const { id, madeAtMs, expiresAtMs } = ticket;
      const invitation = { once: id, beganAtMs: madeAtMs, expiresAtMs };
      const used = await this.#useUp(invitation, ticket, 'invitation_used', 403);
      if (used !== undefined) return used;
    }
    if (form.get('do') === 'disconnect') {
      const ended = await provider.connections.disconnect(ticketKey(ticket), originOf(ticket, peer));
      const revoked = ended.result === 'disconnected' && ended.upstream === 'revoked';
      return disconnectedPage(provider.title, revoked, sessions.ended(session));
    }
    const granting = sessions.next(ticket, 'granting', session);
    const { client, redirectUri, scopeParameter, authorizationParameters: extra } = provider;
    const url = await authorizationUrl({
      client,
      redirectUri,
      session: granting,
      scopeParameter,
      extra,
      withNonce: false,
    });
    return seeOther(url.href, [await sessions.kept(granting)]);
  }

  async #granted(
    { request, peer }: Asked,
    query: URLSearchParams,
    provider: ConnectableProvider,
  ): Promise<Response | Refused> {
    const session = await this.#returned(request, query, 'granting');
    if (session instanceof Refused) return session;
    const { ticket } = session;
    // The address says which server answered: a code of one is not redeemed at another (RFC 9700 section 4.4.2).
    if (ticket.providerId !== provider.id) return new Refused('callback_of_another_provider', 403, ticket);
    try {
      const callback = await provider.client.callback(query, session.once);
      const { tokens } = await provider.client.redeem(ticket.zoneId, callback, {
        redirectUri: provider.redirectUri,
        verifier: session.verifier,
        nonce: undefined,
      });
      await provider.connections.connect(ticketKey(ticket), tokens, originOf(ticket, peer));
    } catch (cause) {
      const { reason } = faultOf(cause, 'connect_failed');
      return new Refused(reason, reason === AUDIT_UNAVAILABLE ? 503 : 403, ticket);
    }
    return connectedPage(provider.title, this.#parts.sessions.ended(session));
  }

  /** The session a browser comes back with. Each state is good for one return, whatever becomes of it. */
  async #returned(
    request: Request,
    query: URLSearchParams,
    step: 'sign_in' | 'granting',
  ): Promise<ConnectSession | Refused> {
    const states = query.getAll('state');
    const session = states.length === 1 ? await this.#parts.sessions.find(request, states[0]!, step) : undefined;
    if (session === undefined) return new Refused('state_not_valid', 400);
    const { once, beganAtMs, expiresAtMs, ticket } = session;
    return (await this.#useUp({ once, beganAtMs, expiresAtMs }, ticket, 'state_used')) ?? session;
  }

  /** Uses up what may be used once; `usedReason` where it has been used already. */
  async #useUp(
    { once, beganAtMs, expiresAtMs }: Pick<ConnectSession, 'once' | 'beganAtMs' | 'expiresAtMs'>,
    ticket: ConnectTicket,
    usedReason: string,
    status = 400,
  ): Promise<Refused | undefined> {
    const verdict = await this.#parts.replays.use({
      zoneId: ticket.zoneId,
      issuer: ONCE_ISSUER,
      jti: once,
      issuedAt: Math.floor(beganAtMs / 1_000),
      expiresAt: Math.ceil(expiresAtMs / 1_000),
    });
    if (verdict === 'first') return undefined;
    // Nobody did it before: the store has no memory of that time, which is no fault of the person's.
    return verdict === 'before_store'
      ? new Refused('begun_before_memory', 503, ticket)
      : new Refused(usedReason, status, ticket);
  }

  #refuse({ reason, status, ticket }: Refused, peer: string | undefined): Response {
    const { tell, clock, evidence } = this.#parts.services;
    if (ticket !== undefined) {
      evidence.denied(ticketKey(ticket), { ...originOf(ticket, peer), reason, status });
      const { zoneId, providerId, owner } = ticket;
      tell({ type: 'connect_refused', zoneId, providerId, owner, reason, time: new Date(clock.now()).toISOString() });
    }
    const { title, body } = refusalPage(reason);
    return page(title, body, { status });
  }
}

/** Whoever holds a link is, until they have signed in, who it says they are: the reason of a refusal tells how far they came. */
function originOf({ invited, applicationId, resource }: ConnectTicket, peer: string | undefined): ConnectionOrigin {
  return { initiator: invited ? 'invitation' : 'person', applicationId, resource, peer };
}

function ticketKey({ zoneId, providerId, owner }: ConnectTicket) {
  return { zoneId, providerId, owner };
}

async function formOf(request: Request): Promise<URLSearchParams | undefined> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded' || request.body === null) return undefined;
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of request.body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_FORM_BYTES) return undefined;
  }
  return new URLSearchParams(text);
}
