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
import { deniedAnswer, jsonAnswer } from './answers.js';
import { correlation } from './correlation.js';
import { type Form, parameter } from './form.js';
import { authorizationServerMetadata } from './metadata.js';
import { readForm } from './read-form.js';
import type { Answer, Received } from './received.js';

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

type Endpoint = (application: Application, form: Form, asked: Asked, parts: HandlerParts) => Promise<Answer | Denied>;

const UNKNOWN_PEER = 'unknown';

/** The token service over HTTP: metadata, key set, token, revocation, introspection. */
export class TokenServiceHandler {
  readonly #parts: HandlerParts;
  readonly #documents: ReadonlyMap<string, () => object>;
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #newTraceIds = createTraceIds();

  constructor(parts: HandlerParts) {
    this.#parts = parts;
    const { paths } = parts.settings.endpoints;
    const metadata = authorizationServerMetadata(parts.settings.endpoints, ASSERTION_ALGORITHMS);
    this.#documents = new Map([
      [paths.metadata, () => metadata],
      [paths.jwks, () => parts.keys.jwks()],
    ]);
    this.#endpoints = new Map<string, Endpoint>([
      [paths.token, answerTokenRequest],
      [paths.revocation, (application, form) => answerRevocation(application, form, parts)],
      [paths.introspection, (application, form) => answerIntrospection(application, form, parts)],
    ]);
  }

  /** Answers one request. Never rejects. */
  async handle(received: Received, { peer = UNKNOWN_PEER }: RequestOrigin = {}): Promise<Answer> {
    const { evidence, settings } = this.#parts;
    const { path } = received;
    const requestId = evidence.newRequestId();
    const joins = correlation(received, settings.telemetry, this.#newTraceIds);
    const asked: Asked = {
      requestId,
      peer,
      path,
      startedAt: settings.clock.monotonic(),
      clientRequestId: joins.clientRequestId,
      traceId: joins.traceId,
      requester: undefined,
      resource: undefined,
    };
    const answer = await this.#route(received, asked);
    joins.answered(requestId, answer.status, this.serves(path) ? path : undefined);
    return { ...answer, headers: { ...answer.headers, 'X-Caracal-Request-Id': requestId } };
  }

  /** Whether one of its endpoints has this path. */
  serves(path: string): boolean {
    return this.#endpoints.has(path) || this.#documents.has(path);
  }

  async #route(received: Received, asked: Asked): Promise<Answer> {
    const document = this.#documents.get(received.path);
    if (document !== undefined) return documentAnswer(received.method, document);
    const endpoint = this.#endpoints.get(received.path);
    if (endpoint === undefined) return jsonAnswer(404, { error: 'not_found' });
    if (received.method !== 'POST') return methodAnswer('POST');
    return this.#post(received, asked, endpoint);
  }

  async #post(received: Received, asked: Asked, endpoint: Endpoint): Promise<Answer> {
    const { evidence, settings } = this.#parts;
    let known = asked;
    const refuse = (refused: Denied): Answer => {
      evidence.denied(known, refused);
      if (refused.status >= 500) {
        const { error, reason, cause } = refused;
        if (cause !== undefined) settings.onFault({ requestId: asked.requestId, error, reason, cause });
      }
      return deniedAnswer(refused);
    };
    try {
      const form = await readForm(received);
      if (form instanceof Denied) return refuse(form);
      const credentials = presentedCredentials(received.header('authorization'), form);
      if (credentials instanceof Denied) return refuse(credentials);
      const application = await this.#parts.authenticator.authenticate(credentials, asked.peer ?? UNKNOWN_PEER);
      if (application instanceof Denied) return refuse(application);
      known = { ...asked, requester: application.id, resource: knownResource(form, settings) };
      const answered = await endpoint(application, form, known, this.#parts);
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

function documentAnswer(method: string, document: () => object): Answer {
  if (method !== 'GET' && method !== 'HEAD') return methodAnswer('GET, HEAD');
  return {
    status: 200,
    headers: {
      'Content-Type': 'application/json',
      // A new key signs at once, and verifiers keep the set themselves: a cache between would only hide that key.
      'Cache-Control': 'no-cache',
      'X-Content-Type-Options': 'nosniff',
    },
    body: method === 'HEAD' ? null : JSON.stringify(document()),
  };
}

function methodAnswer(allow: string): Answer {
  return jsonAnswer(405, { error: 'method_not_allowed' }, { Allow: allow });
}
