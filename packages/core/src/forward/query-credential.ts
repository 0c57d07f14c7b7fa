import { decodeEscapes } from '../syntax/percent.js';

/**
 * The query with a credential in it: every parameter whose name decodes to that of the credential is removed, so that
 * an upstream that takes the first, the last or all of them takes this one; the rest stays byte for byte.
 *
 * Names are compared as bytes after `+` and `%XX` are decoded once, case-sensitive; an escape that is not well-formed
 * stands for itself, and a parameter without `=` is all name.
 *
 * @param query Raw, with its `?`, or empty.
 * @param name Percent-encoded, as is `value`.
 * @see https://url.spec.whatwg.org/#urlencoded-parsing
 */
export function withQueryCredential(query: string, name: string, value: string): string {
  const credential = `${name}=${value}`;
  if (query.length <= 1) return `?${credential}`;
  const wanted = decodedName(name);
  const kept = query
    .slice(1)
    .split('&')
    .filter((parameter) => decodedName(nameOf(parameter)) !== wanted);
  return kept.length === 0 ? `?${credential}` : `?${kept.join('&')}&${credential}`;
}

function nameOf(parameter: string): string {
  const equals = parameter.indexOf('=');
  return equals === -1 ? parameter : parameter.slice(0, equals);
}

function decodedName(name: string): string {
  return decodeEscapes(name.includes('+') ? name.replaceAll('+', ' ') : name);
}
