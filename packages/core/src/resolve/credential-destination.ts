import { normalizedOrigins } from '../attach/origins.js';
import type { Provider, ProviderKind } from '../attach/provider.js';
import type { Upstream } from './resource.js';
import { isLoopbackOrigin } from './upstream-url.js';

/** Kinds without a long-lived secret of ours: nothing is attached, or the short-lived mandate of the caller itself. */
const WITHOUT_OWN_CREDENTIAL: ReadonlySet<ProviderKind> = new Set(['none', 'caracal_mandate']);

/**
 * Checks that the credential of a provider may go to this upstream: the provider says so (`origins`), and the way there
 * is not readable by others (https, or loopback, or `allowPlaintext`).
 *
 * @throws TypeError naming the remedy. An origin is quoted, never a whole URL.
 */
export function checkCredentialDestination(provider: Provider, upstream: Upstream, allowPlaintext: boolean): void {
  const loopback = isLoopbackOrigin(upstream.origin);
  if (provider.origins !== undefined) {
    if (!normalizedOrigins(provider.origins).includes(upstream.origin)) {
      throw new TypeError(
        `upstreamUrl: ${upstream.origin} is not among the origins of provider ${provider.id}; its credential may not go there`,
      );
    }
  } else if (!loopback && !WITHOUT_OWN_CREDENTIAL.has(provider.kind)) {
    throw new TypeError(
      `provider: ${provider.id} has a credential but no origins; add origins: ["${upstream.origin}"] to it`,
    );
  }
  const readable = upstream.origin.startsWith('http:') && !loopback && !allowPlaintext;
  if (readable && provider.kind !== 'none') {
    throw new TypeError(
      `upstreamUrl: the credential of provider ${provider.id} would cross the network in plain text; use https, or set allowPlaintext: true`,
    );
  }
}
