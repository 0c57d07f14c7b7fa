import { MintError } from './errors.js';
import { type Profile, revealSecret } from './profile.js';
import { retryAfterSeconds } from './refusal.js';
import { elapsed } from './waiting.js';

/** A mandate that is wanted. */
export interface WantedMandate {
  readonly resource: string;
  /** `undefined`: all that is granted there. */
  readonly scopes: readonly string[] | undefined;
  /** Request id and trace context of the call it is for. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborts when it has taken too long. */
  readonly signal: AbortSignal;
}

/** What a token endpoint answers. @see RFC 6749 section 5.1 */
export interface TokenResponse {
  readonly access_token: string;
  /** s. */
  readonly expires_in?: number;
}

/** A way to a mandate. */
export type Mint = (wanted: WantedMandate) => Promise<TokenResponse>;

/** What {@link tokenEndpoint} is made with. */
export interface TokenEndpointOptions extends Profile {
  readonly fetch: typeof fetch;
  /** A token to exchange: mandates are issued within it. */
  readonly subjectToken?: string | (() => string | Promise<string>) | undefined;
}

/** Tries at the token endpoint for one mandate. */
const MAX_TRIES = 3;
/** Longest time that is waited between two of them, s. */
const MAX_WAIT_SECONDS = 5;
const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';

/**
 * Mints at a token endpoint: client credentials, or an exchange of the subject token. The secret goes in `Authorization` and
 * is read for each mandate. Another try only where the endpoint was not reached or cannot answer now.
 *
 * @see RFC 6749 section 4.4, RFC 8693 section 2.1, RFC 8707 section 2
 */
export function tokenEndpoint(options: TokenEndpointOptions): Mint {
  return async (wanted) => {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await mintOnce(options, wanted);
      if (!(answer instanceof MintError)) return answer;
      const passing = answer.status === 0 || answer.status === 429 || answer.status >= 500;
      const wait = answer.retryAfterSeconds ?? attempt / 4;
      if (!passing || attempt === MAX_TRIES || wait > MAX_WAIT_SECONDS || wanted.signal.aborted) throw answer;
      await elapsed(wait);
    }
  };
}

async function mintOnce(options: TokenEndpointOptions, wanted: WantedMandate): Promise<TokenResponse | MintError> {
  const { tokenUrl, applicationId = '', applicationSecret, zone, subjectToken } = options;
  const form = new URLSearchParams({ grant_type: 'client_credentials', resource: wanted.resource });
  if (wanted.scopes !== undefined) form.set('scope', wanted.scopes.join(' '));
  if (zone !== undefined) form.set('zone_id', zone);
  if (subjectToken !== undefined) {
    form.set('grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange');
    form.set('subject_token', typeof subjectToken === 'string' ? subjectToken : await subjectToken());
    form.set('subject_token_type', TOKEN_TYPE);
  }
  const credentials = new URLSearchParams([[applicationId, await revealSecret(applicationSecret ?? '')]]);
  let response: Response;
  try {
    response = await options.fetch(tokenUrl as string, {
      method: 'POST',
      // RFC 6749 section 2.3.1: both are form-encoded, so that a colon in an id cannot move the border.
      headers: { ...wanted.headers, Authorization: `Basic ${btoa(String(credentials).replace('=', ':'))}` },
      body: form,
      redirect: 'manual', // the secret goes to this URL and to no other
      credentials: 'omit',
      signal: wanted.signal,
    });
  } catch (cause) {
    return new MintError('token_service_unreachable', { cause });
  }
  let body: { access_token?: string; expires_in?: number; error?: unknown } | null = null;
  try {
    body = await response.json();
  } catch {
    // Not JSON, or cut short: told below. The parser's own error would quote what may be a token.
  }
  if (response.ok) return body as TokenResponse;
  const code =
    typeof body?.error === 'string' && /^[\w.-]{1,64}$/.test(body.error) ? body.error : 'token_response_invalid';
  return new MintError(code, {
    status: response.status,
    requestId: response.headers.get('x-caracal-request-id') || undefined,
    retryAfterSeconds: retryAfterSeconds(response.headers),
  });
}
