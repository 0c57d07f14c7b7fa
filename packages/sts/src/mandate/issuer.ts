import type { Application } from '../application.js';
import { Denied, denied } from '../denied.js';
import type { Asked, Evidence } from '../evidence.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { Settings } from '../settings.js';
import { type Authority, type AuthorityRequest, exchangedAuthority, ownAuthority } from './authority.js';
import type { MandateClaims } from './mandate-claims.js';
import { mandateLife } from './mandate-life.js';
import { isRevoked, MAX_MANDATE_LENGTH, verifyOwnMandate } from './own-mandate.js';

/** What one mandate is asked for with. */
export interface IssueRequest extends AuthorityRequest {
  readonly subjectToken: string | undefined;
  readonly ttlSeconds: number | undefined;
  readonly agentSessionId?: string | undefined;
}

/** A mandate that was issued. */
export interface IssuedMandate {
  readonly mandate: string;
  readonly claims: MandateClaims;
}

/** Issues mandates to applications that have proved who they are. */
export class MandateIssuer {
  readonly #settings: Settings;
  readonly #keys: KeyRing;
  readonly #evidence: Evidence;

  constructor(settings: Settings, keys: KeyRing, evidence: Evidence) {
    this.#settings = settings;
    this.#keys = keys;
    this.#evidence = evidence;
  }

  /** Decides, signs, and records. The mandate is answered only once its record has been accepted. */
  async issue(requester: Application, request: IssueRequest, asked: Asked): Promise<IssuedMandate | Denied> {
    const subject = await this.#subject(request.subjectToken);
    if (subject instanceof Denied) return subject;
    const authority =
      subject === undefined
        ? ownAuthority(requester, request, this.#settings)
        : exchangedAuthority(requester, subject, request, this.#settings);
    if (authority instanceof Denied) return authority;
    const claims = this.#claims(requester, authority, subject, request);
    if (claims instanceof Denied) return claims;
    const mandate = this.#keys.sign(claims);
    if (mandate.length > MAX_MANDATE_LENGTH) return denied('invalid_scope', 'mandate_too_long');
    // After all that has waited: nothing is minted below what has been revoked meanwhile.
    if (isRevoked(claims, this.#settings.revocations)) return denied('invalid_request', 'session_revoked');
    return (await this.#evidence.issued(asked, claims)) ?? { mandate, claims };
  }

  /** A mandate of this issuer that is good now, whoever presents it; the reason where it is not. */
  async verify(token: string): Promise<MandateClaims | string> {
    const { endpoints, zone, clock, revocations } = this.#settings;
    const own = { issuer: endpoints.issuer, zone, keys: this.#keys.set, nowMs: clock.now() };
    const claims = await verifyOwnMandate(token, own);
    if (typeof claims === 'string') return claims;
    return isRevoked(claims, revocations) ? 'session_revoked' : claims;
  }

  // RFC 8693 section 2.2.2: a subject token that is invalid for any reason is an invalid request.
  async #subject(token: string | undefined): Promise<MandateClaims | undefined | Denied> {
    if (token === undefined) return undefined;
    const claims = await this.verify(token);
    return typeof claims === 'string' ? denied('invalid_request', `subject_${claims}`) : claims;
  }

  #claims(
    requester: Application,
    authority: Authority,
    subject: MandateClaims | undefined,
    request: IssueRequest,
  ): MandateClaims | Denied {
    const { endpoints, zone, clock } = this.#settings;
    const life = mandateLife(authority.use, request.ttlSeconds, subject, clock.now());
    if (life === undefined) return denied('invalid_request', 'subject_expired');
    const jti = this.#evidence.newRequestId();
    const agentSession = subject === undefined ? request.agentSessionId : subject.agent_session_id;
    return {
      iss: endpoints.issuer,
      sub: subject?.sub ?? authority.application.id,
      aud: authority.use === 'resource' ? authority.targets[0]! : endpoints.issuer,
      ...life,
      jti,
      zone_id: zone,
      client_id: authority.application.id,
      scope: authority.scopes.join(' '),
      use: authority.use,
      sub_type: 'application',
      // A session's first mandate bears its name, so that revoking that mandate can mean the session.
      sid: subject?.sid ?? jti,
      root_sid: subject?.root_sid ?? jti,
      ...(agentSession === undefined ? undefined : { agent_session_id: agentSession }),
      // An exchange that hides who asked would be an impersonation (RFC 8693 section 1.1).
      ...(requester.id === authority.application.id ? undefined : { act: { sub: requester.id } }),
      ...(authority.use === 'session' ? undefined : { target: authority.targets }),
    };
  }
}
