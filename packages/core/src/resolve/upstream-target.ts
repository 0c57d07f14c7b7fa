import type { Upstream } from './resource.js';

/**
 * The target to send upstream: base path, raw path and raw query, joined byte for byte. Never a URL parser: it would
 * fold `..`, decode, and take `//evil` for a host.
 *
 * @param path Raw path after the mount prefix; empty counts as `/`, and it always begins with one.
 * @param query Raw query with its `?`, or empty.
 */
export function upstreamTarget(upstream: Upstream, path: string, query: string): string {
  return upstream.basePath + (path === '' ? '/' : path) + query;
}
