import type { Attached } from '../admission.js';
import type { ExchangeParts } from '../admitted-exchange.js';
import type { Credential } from '../attach/provider.js';
import { Denial } from '../errors.js';
import type { ResponseHead } from '../exchange.js';
import type { GatewaySettings } from '../gateway-options.js';
import type { Resource, Upstream } from '../resolve/resource.js';
import { upstreamTarget } from '../resolve/upstream-target.js';
import { credentialNeedles } from './credential-needles.js';
import { createHeaderClassifier } from './header-classifier.js';
import type { Plan } from './plan.js';
import { withQueryCredential } from './query-credential.js';
import { upstreamHeaders } from './request-headers.js';
import { callerHeaders, type OwnHeadersInput, ownHeaders } from './response-headers.js';
import { type TraceContext, traceHeaders } from './trace-context.js';

/** Name in `Via`. @see RFC 9110 section 7.6.3 */
export const VIA_PSEUDONYM = 'caracal';

/** How a gateway makes the plan of an exchange, and the caller's head from the upstream's. */
export function forwarding(
  settings: Pick<GatewaySettings, 'clock' | 'corsOrigins' | 'publicUrl'>,
): Pick<ExchangeParts, 'plan' | 'response' | 'ownHeaders' | 'renewed'> {
  const classifier = createHeaderClassifier();
  // A credential is one frozen object as long as its secret is the same: its needles are made once.
  const needles = new WeakMap<Credential, readonly string[]>();

  function needlesOf(credential: Credential): readonly string[] {
    let made = needles.get(credential);
    if (made === undefined) {
      made = credentialNeedles(credential.secrets);
      needles.set(credential, made);
    }
    return made;
  }

  // Behind a host of its own a resource is not below the public URL: references into it become paths alone.
  function publicUrlOf({ mount }: Resource): string | undefined {
    return mount?.host === undefined ? settings.publicUrl : undefined;
  }

  function plan(admission: Attached, trace: TraceContext): Plan {
    const { resource, request, credential, path, head } = admission;
    const upstream = resource.upstream as Upstream;
    const query =
      credential.query === undefined
        ? request.query
        : withQueryCredential(request.query, credential.query.name, credential.query.value);
    return {
      method: request.method,
      origin: upstream.origin,
      target: upstreamTarget(upstream, path, query),
      headers: upstreamHeaders({
        classifier,
        head,
        request,
        resource,
        credential,
        requestId: admission.requestId,
        traceHeaders: traceHeaders(trace),
        mountPrefix: admission.mountPrefix,
        peerAddress: head.peer.address,
        publicUrl: publicUrlOf(resource),
        via: VIA_PSEUDONYM,
      }),
      framing: request.framing,
      limits: resource.limits,
      addressPolicy: resource.addressPolicy,
      tls: resource.tls,
      upgrade: admission.upgrade,
    };
  }

  function response(admission: Attached, status: number, headers: readonly string[]): ResponseHead | Denial {
    const { resource, request, credential, path } = admission;
    const made = callerHeaders({
      classifier,
      status,
      headers,
      resource,
      target: upstreamTarget(resource.upstream as Upstream, path, request.query),
      mountPrefix: admission.mountPrefix,
      publicUrl: publicUrlOf(resource),
      needles: needlesOf(credential),
      ...own(admission),
    });
    if (made instanceof Denial) return made;
    return { kind: 'response', status, headers: made, longLived: status === 101 || isEventStream(headers) };
  }

  function own({ requestId, mandate, request }: Attached): OwnHeadersInput {
    const tokenExpiresInSeconds = Math.max(0, Math.floor(mandate.expiresAt - settings.clock.now() / 1000));
    return { requestId, tokenExpiresInSeconds, corsOrigins: settings.corsOrigins, origin: request.origin };
  }

  async function renewed({ resource, mandate, token, credential, head }: Attached): Promise<Credential | undefined> {
    const { presence } = head;
    const other = await resource.provider.renew({ resource, mandate, token, presence }, credential);
    return other instanceof Denial || other === credential ? undefined : other;
  }

  return { plan, response, ownHeaders: (admission) => ownHeaders(own(admission)), renewed };
}

function isEventStream(headers: readonly string[]): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]!.length === 12 && headers[index]!.toLowerCase() === 'content-type') {
      return headers[index + 1]!.trimStart().toLowerCase().startsWith('text/event-stream');
    }
  }
  return false;
}
