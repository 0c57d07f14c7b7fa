/** Parameters that this package sets itself, or that would change what an answer means. */
const PROTOCOL = new Set([
  'grant_type',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'assertion',
  'scope',
  'audience',
  'resource',
  'code',
  'code_verifier',
  'code_challenge',
  'code_challenge_method',
  'redirect_uri',
  'refresh_token',
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'response_type',
  'response_mode',
  'state',
  'nonce',
  'request',
  'request_uri',
  'token',
  'token_type_hint',
  'username',
  'password',
]);

const MAX_PARAMETERS = 32;
const MAX_LENGTH = 2_048;

/**
 * Checks parameters of a vendor's own. None can stand for one of the protocol: those have options.
 *
 * @throws TypeError naming the parameter
 */
export function extraParameters(
  factory: string,
  option: string,
  given: Readonly<Record<string, string>> | undefined,
): readonly (readonly [string, string])[] {
  if (given === undefined) return [];
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TypeError(`${factory}: ${option} is an object of texts`);
  }
  const entries = Object.entries(given);
  if (entries.length > MAX_PARAMETERS)
    throw new TypeError(`${factory}: ${option} has more than ${MAX_PARAMETERS} members`);
  for (const [name, value] of entries) {
    if (PROTOCOL.has(name.trim().toLowerCase())) {
      throw new TypeError(`${factory}: ${option}: ${name} is a parameter of the protocol and cannot be given here`);
    }
    if (name === '' || typeof value !== 'string' || value.length > MAX_LENGTH) {
      throw new TypeError(`${factory}: ${option}: ${name} is a text of at most ${MAX_LENGTH} characters`);
    }
  }
  return entries;
}
