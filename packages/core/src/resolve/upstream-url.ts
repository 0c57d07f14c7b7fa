import { checkPath } from '../head/target.js';
import { isVisibleAscii } from '../syntax/header-syntax.js';
import type { Upstream } from './resource.js';

const MAX_URL_LENGTH = 2048;
const PARTS = /^https?:\/\/([^/?#\\]+)(\/[^?#]*)?$/i;

/**
 * Reads an upstream URL. The base path is kept byte for byte, because a URL parser would fold and re-encode it.
 *
 * @throws TypeError that never quotes the URL: it may hold a password by mistake.
 */
export function parseUpstreamUrl(text: string): Upstream {
  if (!isVisibleAscii(text, MAX_URL_LENGTH)) {
    throw new TypeError(`upstreamUrl: at most ${MAX_URL_LENGTH} visible ASCII characters; write its host in Punycode`);
  }
  const [, authority, rawPath = '/'] = PARTS.exec(text) ?? [];
  if (authority === undefined) {
    throw new TypeError('upstreamUrl: an http or https URL with a host, without query and fragment');
  }
  if (authority.includes('@')) {
    throw new TypeError('upstreamUrl: holds a user name or password; those belong to a provider');
  }
  const reason = rawPath.includes('//') ? 'empty_segment' : checkPath(rawPath);
  if (reason !== undefined) throw new TypeError(`upstreamUrl: its path is not acceptable (${reason})`);
  if (!URL.canParse(text)) throw new TypeError('upstreamUrl: its host or port is not valid');
  const { origin, host } = new URL(text);
  return Object.freeze({ origin, host, basePath: rawPath.endsWith('/') ? rawPath.slice(0, -1) : rawPath });
}

/**
 * Whether an origin is this machine itself: `localhost`, 127.0.0.0/8, `[::1]`. Not names below `localhost`: RFC 6761 has
 * resolvers answer them by themselves, and many ask the network, which may answer what it likes.
 */
export function isLoopbackOrigin(origin: string): boolean {
  const { hostname } = new URL(origin);
  if (hostname === 'localhost' || hostname === '[::1]') return true;
  // The URL parser has written every spelling of an IPv4 address as four decimal numbers.
  return /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
