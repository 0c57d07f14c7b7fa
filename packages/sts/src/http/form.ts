/** Most parameters of one request. */
export const MAX_PARAMETERS = 64;

/** Parameters that may come more than once. @see RFC 8693 section 2.1, RFC 8707 section 2 */
const REPEATABLE: ReadonlySet<string> = new Set(['resource', 'audience']);

/** The parameters of a form. Those without a value are absent. @see RFC 6749 section 3.2 */
export type Form = ReadonlyMap<string, readonly string[]>;

/**
 * Parses `application/x-www-form-urlencoded`, strictly: a malformed escape, bad UTF-8, a repeated parameter or too many
 * are an error, because two readers would read two requests. Answers the parameters, or the reason in snake_case.
 *
 * @see RFC 6749 section 3.2 and appendix B
 */
export function parseForm(text: string): Form | string {
  const form = new Map<string, string[]>();
  if (text === '') return form;
  const pairs = text.split('&', MAX_PARAMETERS + 1);
  if (pairs.length > MAX_PARAMETERS) return 'too_many_parameters';
  const seen = new Set<string>();
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = decodeFormText(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decodeFormText(pair.slice(equals + 1));
    if (name === undefined || value === undefined) return 'parameter_malformed';
    if (seen.has(name) && !REPEATABLE.has(name)) return 'parameter_repeated';
    seen.add(name);
    if (value === '') continue;
    const values = form.get(name);
    if (values === undefined) form.set(name, [value]);
    else values.push(value);
  }
  return form;
}

/** What form encoding leaves in a text that it has changed. */
const ENCODED = /[%+]/;

/** Undoes form encoding: `+` is a space, `%XX` bytes of UTF-8. `undefined` where it is malformed. */
export function decodeFormText(text: string): string | undefined {
  if (!ENCODED.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // A malformed escape or bad UTF-8; the error's text would quote what may be a secret.
    return undefined;
  }
}

/** The value of a parameter that comes once. */
export function parameter(form: Form, name: string): string | undefined {
  return form.get(name)?.[0];
}
