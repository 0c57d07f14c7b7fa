import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  isIdentifier,
  isResourceIdentifier,
  isScope,
  type KeySource,
  MAX_SCOPES,
  refuseUnknownOptions,
} from '@caracal/core';
import type { JWK } from 'jose';
import { Authenticator } from './authenticate/authenticator.js';
import { Denied, denied } from './denied.js';
import { type Asked, Evidence } from './evidence.js';
import { deniedAnswer } from './http/answers.js';
import { type RequestOrigin, TokenServiceHandler } from './http/handler.js';
import { receivedFromNode, targetParts, writeAnswer } from './http/node.js';
import type { Answer, Received } from './http/received.js';
import { receivedFromWeb, webResponse } from './http/web.js';
import { KeyRing } from './keys/key-ring.js';
import { KeyRotation } from './keys/key-rotation.js';
import { type IssuedMandate, MandateIssuer } from './mandate/issuer.js';
import { KEY_OVERLAP_SECONDS, type Settings, type TokenServiceOptions, tokenServiceSettings } from './settings.js';
import { MAX_RESOURCES } from './token-request.js';

/** What is asked for in this process, without a secret: whoever holds the service may act as any application. */
export interface IssueOptions {
  readonly applicationId: string;
  /** Resource identifiers. Default none: a session. */
  readonly resources?: readonly string[];
  /** Default all that is granted on each of the resources. */
  readonly scopes?: readonly string[];
  /** Default 900, cut to 900 with resources and 3,600 without. */
  readonly ttlSeconds?: number;
  /** A mandate to exchange: what is issued stays within it. */
  readonly subjectToken?: string;
  /** The agent's session, by which the mandate can be revoked; an exchanged mandate has its subject's. */
  readonly agentSessionId?: string;
}

/** Issues mandates. See `createTokenService`. */
export interface TokenService {
  readonly issuer: string;
  /** Answers one request to an endpoint. Never rejects. */
  handler(request: Request, origin?: RequestOrigin): Promise<Response>;
  /**
   * The same for `node:http`, at a fraction of the cost: nothing is made into a `Request` first. `origin` is the peer of the socket
   * unless told. Resolves when the answer has been handed over; never rejects.
   */
  listener(incoming: IncomingMessage, outgoing: ServerResponse, origin?: RequestOrigin): Promise<void>;
  /** Whether one of its endpoints has this target: for a listener that serves other things too. */
  serves(target: string): boolean;
  /**
   * Issues a mandate in this process, with the same rules and the same evidence; a refusal is a value.
   *
   * @throws TypeError where the options are not in order.
   */
  issue(options: IssueOptions): Promise<IssuedMandate | Denied>;
  /** The public key set, as `/.well-known/jwks.json` shows it. */
  jwks(): { readonly keys: JWK[] };
  /** Its public keys for a gateway in this process: `issuers: [{ issuer, keySource }]`. Follows rotations. */
  readonly keySource: KeySource;
  /**
   * Makes another key, which signs from now on; the one before is published until what it signed has ended. Where a key has
   * been stolen, `keepPrevious: false` ends every mandate of the keys before at once; verifiers elsewhere keep a key set up to 10 min.
   */
  rotate(options?: { readonly keepPrevious?: boolean }): Promise<void>;
  /** Refuses what comes from now on and leaves nothing running. Idempotent; injected stores stay their owners' to close. */
  close(): Promise<void>;
}

/**
 * Makes a token service, its signing keys loaded or made.
 *
 * @throws TypeError (as a rejection) that names the option and the remedy; what the key store throws where it cannot answer.
 */
export async function createTokenService(options: TokenServiceOptions): Promise<TokenService> {
  const settings = tokenServiceSettings(options);
  const { endpoints, keys: store, algorithm, clock } = settings;
  const keys = await KeyRing.open({
    issuer: endpoints.issuer,
    store,
    algorithm,
    overlapSeconds: KEY_OVERLAP_SECONDS,
    now: clock.now,
  });
  const { rotateKeysAfterSeconds: afterSeconds } = settings;
  const onFault = (cause: unknown) =>
    settings.onFault({ requestId: undefined, error: 'server_error', reason: 'key_rotation', cause });
  const rotation =
    afterSeconds === undefined ? undefined : new KeyRotation({ keys, afterSeconds, now: clock.now, onFault });
  await rotation?.run();
  return new CaracalTokenService(settings, keys, rotation);
}

class CaracalTokenService implements TokenService {
  readonly #settings: Settings;
  readonly #keys: KeyRing;
  readonly #evidence: Evidence;
  readonly #authenticator: Authenticator;
  readonly #issuer: MandateIssuer;
  readonly #handler: TokenServiceHandler;
  readonly #rotation: KeyRotation | undefined;
  #closed = false;

  constructor(settings: Settings, keys: KeyRing, rotation: KeyRotation | undefined) {
    this.#rotation = rotation;
    this.#settings = settings;
    this.#keys = keys;
    this.#evidence = new Evidence(settings);
    this.#authenticator = new Authenticator(settings);
    this.#issuer = new MandateIssuer(settings, keys, this.#evidence);
    this.#handler = new TokenServiceHandler({
      settings,
      keys,
      evidence: this.#evidence,
      authenticator: this.#authenticator,
      issuer: this.#issuer,
    });
  }

  get issuer(): string {
    return this.#settings.endpoints.issuer;
  }

  get keySource(): KeySource {
    return this.#keys.keySource;
  }

  async handler(request: Request, origin: RequestOrigin = {}): Promise<Response> {
    return webResponse(await this.#answer(receivedFromWeb(request), origin));
  }

  async listener(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    origin: RequestOrigin = originOf(incoming),
  ): Promise<void> {
    writeAnswer(outgoing, await this.#answer(receivedFromNode(incoming), origin));
  }

  serves(target: string): boolean {
    return this.#handler.serves(targetParts(target).path);
  }

  #answer(received: Received, origin: RequestOrigin): Answer | Promise<Answer> {
    return this.#closed ? deniedAnswer(CLOSED) : this.#handler.handle(received, origin);
  }

  async issue(options: IssueOptions): Promise<IssuedMandate | Denied> {
    checkIssueOptions(options);
    if (this.#closed) return CLOSED;
    const { applicationId, resources = [], scopes, ttlSeconds, subjectToken, agentSessionId } = options;
    const asked: Asked = {
      requestId: this.#evidence.newRequestId(),
      peer: undefined,
      path: undefined,
      startedAt: this.#settings.clock.monotonic(),
      requester: applicationId,
    };
    const known = this.#settings.applications.get(applicationId);
    const application =
      known === undefined ? denied('invalid_client', 'application_unknown') : this.#authenticator.unrevoked(known);
    const request = { resources: [...new Set(resources)], scopes, ttlSeconds, subjectToken, agentSessionId };
    const issued = application instanceof Denied ? application : await this.#issuer.issue(application, request, asked);
    if (issued instanceof Denied) this.#evidence.denied(asked, issued);
    return issued;
  }

  jwks(): { readonly keys: JWK[] } {
    return this.#keys.jwks();
  }

  rotate({ keepPrevious = true }: { readonly keepPrevious?: boolean } = {}): Promise<void> {
    return this.#keys.rotate(keepPrevious);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#rotation?.stop();
    this.#evidence.close();
  }
}

function originOf({ socket }: IncomingMessage): RequestOrigin {
  return socket.remoteAddress === undefined ? {} : { peer: socket.remoteAddress };
}

const CLOSED = denied('temporarily_unavailable', 'closed');
const ISSUE_OPTIONS: readonly (keyof IssueOptions)[] = [
  'applicationId',
  'resources',
  'scopes',
  'ttlSeconds',
  'subjectToken',
  'agentSessionId',
];

function checkIssueOptions(options: IssueOptions): void {
  refuseUnknownOptions('issue', options, ISSUE_OPTIONS);
  const { resources = [], scopes = [], ttlSeconds, agentSessionId } = options;
  if (!isListOf(resources, MAX_RESOURCES, isResourceIdentifier)) {
    throw new TypeError(`issue: resources is a list of at most ${MAX_RESOURCES} resource identifiers`);
  }
  if (!isListOf(scopes, MAX_SCOPES, isScope)) throw new TypeError('issue: scopes is a list of scopes');
  if (ttlSeconds !== undefined && !(Number.isSafeInteger(ttlSeconds) && ttlSeconds > 0)) {
    throw new TypeError('issue: ttlSeconds is a whole number above 0');
  }
  if (agentSessionId !== undefined && !isIdentifier(agentSessionId)) {
    throw new TypeError('issue: agentSessionId is a text of 1 to 512 characters');
  }
}

function isListOf(value: unknown, max: number, isMember: (entry: string) => boolean): boolean {
  return (
    Array.isArray(value) && value.length <= max && value.every((entry) => typeof entry === 'string' && isMember(entry))
  );
}
