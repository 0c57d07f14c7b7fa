import { createTraceIds } from '@caracal/core';
import type { Application } from '../application.js';
import { ASSERTION_ALGORITHMS } from '../authenticate/assertion-keys.js';
import type { Authenticator } from '../authenticate/authenticator.js';
import { presentedCredentials } from '../authenticate/presented-credentials.js';
import { Denied, denied } from '../denied.js';
import type { Asked, Evidence } from '../evidence.js';
import { answerIntrospection } from '../introspection-endpoint.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { MandateIssuer } from '../mandate/issuer.js';
import { answerRevocation } from '../revocation-endpoint.js';
import type { Settings } from '../settings.js';
import { answerTokenRequest } from '../token-endpoint.js';
import { correlation } from './correlation.js';
import { type Form, parameter } from './form.js';
import { authorizationServerMetadata } from './metadata.js';
import { readForm } from './read-form.js';
import { deniedResponse, jsonResponse } from './responses.js';

/** What is known of who sent a request. */
export interface RequestOrigin {
  /** Address of the peer; guesses of secrets are counted against it. */
  readonly peer?: string;
}

/** What the handler is made with. */
export interface HandlerParts {
  readonly settings: Settings;
  readonly authenticator: Authenticator;
  readonly issuer: MandateIssuer;
  readonly keys: KeyRing;
  readonly evidence: Evidence;
}

type Answer = (application: Application, form: Form, asked: Asked, parts: HandlerParts) => Promise<Response | Denied>;

const UNKNOWN_PEER = 'unknown';

/** The token service over HTTP: metadata, key set, token, revocation, introspection. */
export class TokenServiceHandler {
  readonly #parts: HandlerParts;
  readonly #documents: ReadonlyMap<string, () => object>;
  readonly #answers: ReadonlyMap<string, Answer>;
  readonly #newTraceIds = createTraceIds();

  constructor(parts: HandlerParts) {
    this.#parts = parts;
    const { paths } = parts.settings.endpoints;
    const metadata = authorizationServerMetadata(parts.settings.endpoints, ASSERTION_ALGORITHMS);
    this.#documents = new Map([
      [paths.metadata, () => metadata],
      [paths.jwks, () => parts.keys.jwks()],
    ]);
    this.#answers = new Map<string, Answer>([
      [paths.token, answerTokenRequest],
      [paths.revocation, (application, form) => answerRevocation(application, form, parts)],
      [paths.introspection, (application, form) => answerIntrospection(application, form, parts)],
    ]);
  }

  /** Answers one request. Never rejects. */
  async handle(request: Request, { peer = UNKNOWN_PEER }: RequestOrigin = {}): Promise<Response> {
    const { evidence, settings } = this.#parts;
    const requestId = evidence.newRequestId();
    const url = new URL(request.url);
    const { answered, ...joins } = correlation(request, url, settings.telemetry, this.#newTraceIds);
    const asked: Asked = { requestId, peer, path: url.pathname, startedAt: settings.clock.monotonic(), ...joins };
    const response = await this.#route(request, url, asked);
    const known = this.#answers.has(url.pathname) || this.#documents.has(url.pathname);
    answered(requestId, response.status, known ? url.pathname : undefined);
    response.headers.set('X-Caracal-Request-Id', requestId);
    return response;
  }

  async #route(request: Request, url: URL, asked: Asked): Promise<Response> {
    const document = this.#documents.get(url.pathname);
    if (document !== undefined) return documentResponse(request.method, document);
    const answer = this.#answers.get(url.pathname);
    if (answer === undefined) return jsonResponse(404, { error: 'not_found' });
    if (request.method !== 'POST') return methodResponse('POST');
    return this.#post(request, url, asked, answer);
  }

  async #post(request: Request, url: URL, asked: Asked, answer: Answer): Promise<Response> {
    const { evidence, settings } = this.#parts;
    let known = asked;
    const refuse = (refused: Denied): Response => {
      evidence.denied(known, refused);
      if (refused.status >= 500) {
        const { error, reason, cause } = refused;
        if (cause !== undefined) settings.onFault({ requestId: asked.requestId, error, reason, cause });
      }
      return deniedResponse(refused);
    };
    try {
      const form = await readForm(request, url);
      if (form instanceof Denied) return refuse(form);
      const credentials = presentedCredentials(request.headers.get('authorization'), form);
      if (credentials instanceof Denied) return refuse(credentials);
      const application = await this.#parts.authenticator.authenticate(credentials, asked.peer ?? UNKNOWN_PEER);
      if (application instanceof Denied) return refuse(application);
      known = { ...asked, requester: application.id, resource: knownResource(form, settings) };
      const answered = await answer(application, form, known, this.#parts);
      return answered instanceof Denied ? refuse(answered) : answered;
    } catch (cause) {
      return refuse(denied('server_error', 'endpoint', cause));
    }
  }
}

function knownResource(form: Form, { resources }: Settings): string | undefined {
  const named = form.get('resource')?.length === 1 ? parameter(form, 'resource') : undefined;
  return named !== undefined && resources.has(named) ? named : undefined;
}

function documentResponse(method: string, document: () => object): Response {
  if (method !== 'GET' && method !== 'HEAD') return methodResponse('GET, HEAD');
  return new Response(method === 'HEAD' ? null : JSON.stringify(document()), {
    headers: {
      'Content-Type': 'application/json',
      // A new key signs at once, and verifiers keep the set themselves: a cache between would only hide that key.
      'Cache-Control': 'no-cache',
      'X-Content-Type-Options': 'nosniff',
    },
  });
}

function methodResponse(allow: string): Response {
  return jsonResponse(405, { error: 'method_not_allowed' }, { Allow: allow });
}
