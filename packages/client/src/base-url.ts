import { CaracalError } from './errors.js';

/** Checks a URL that tokens or secrets go to. @throws TypeError that names the option and the remedy */
export function checkedUrl(option: string, text: string | undefined, allowPlaintext: boolean): string {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== '' ||
    url.search !== '' ||
    url.hash !== ''
  ) {
    throw new TypeError(`createClient: ${option} is a URL such as https://gateway.example, without query and userinfo`);
  }
  if (url.protocol === 'http:' && !allowPlaintext && !/^(localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/.test(url.hostname)) {
    throw new TypeError(
      `createClient: ${option} is http, so that everybody on the way reads the mandate; use https, or allowPlaintext: true on a network you trust`,
    );
  }
  return url.href.replace(/\/$/, '');
}

/**
 * Where a call goes: a path is appended to the base, a URL has to be under it.
 *
 * @throws CaracalError `foreign_url` where it is not: a mandate goes nowhere else
 */
export function urlUnder(base: string, input: string): URL {
  const text = /^\/(?![/\\])/.test(input) ? base + input : input;
  const root = new URL(base);
  const path = root.pathname.replace(/\/$/, '');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // What a parser makes of dot segments is judged, not what was written.
  const under = url?.origin === root.origin && (url.pathname === path || url.pathname.startsWith(`${path}/`));
  if (url === undefined || !under) throw new CaracalError('foreign_url');
  return url;
}
