import { type Call, callOf, followed, send } from './call.js';
import { CaracalError } from './errors.js';
import type { HeldMandate, Mandates } from './mandates.js';
import { errorFrom, refusalCode, refusalOfResponse, retryAfterSeconds } from './refusal.js';
import { elapsed, unlessAborted } from './waiting.js';

/** A `fetch` for one resource. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** What {@link governedFetch} is made with. */
export interface TransportParts {
  readonly base: string;
  readonly resource: string;
  /** Asked for each try: they begin anew after `forget()`. */
  readonly mandates: () => Mandates;
  readonly fetch: typeof fetch;
  readonly retries: number;
  readonly refusals: 'throw' | 'response';
  /** Adds request id and trace context of what the agent is doing. */
  readonly carry: (headers: Headers) => Readonly<Record<string, string>>;
}

/** Longest `Retry-After` that is waited for, s. */
const MAX_WAIT_SECONDS = 10;
const MAX_REDIRECTS = 10;

/** What may still be tried of one call. */
interface Budget {
  mandates: number;
  retries: number;
  redirects: number;
}

/** Makes the transport. See `Client.transport`. */
export function governedFetch(parts: TransportParts): Fetch {
  return async (input, init = {}) => {
    const call = callOf(input, init, parts.base);
    const carried = parts.carry(call.headers);
    const budget: Budget = { mandates: 1, retries: parts.retries, redirects: MAX_REDIRECTS };
    for (;;) {
      const mandates = parts.mandates();
      let held: HeldMandate;
      try {
        held = await unlessAborted(mandates.take(carried), call.signal);
      } catch (error) {
        if (parts.refusals === 'response' && error instanceof CaracalError && error.status >= 400)
          return asResponse(error);
        throw error;
      }
      call.headers.set('Authorization', `Bearer ${held.token}`);
      call.headers.set('X-Caracal-Resource', parts.resource);
      const response = await send(call, parts.fetch);
      const code = refusalCode(response.headers);
      if (code === null) {
        mandates.accepted(held, response.headers.get('x-caracal-token-expires-in'));
        if (!followed(call, response, parts.base) || --budget.redirects < 0) return response;
      } else if (!(await another(call, response, code, { mandates, held, budget }))) {
        if (parts.refusals === 'response') return response;
        throw await refusalOfResponse(response, code);
      }
      void response.body?.cancel(); // nobody reads it
    }
  };
}

/** Whether a refused call is worth another try, and safe to send again; waits where the gateway asks for it. */
async function another(
  { method, repeatable, signal }: Call,
  response: Response,
  code: string,
  { mandates, held, budget }: { readonly mandates: Mandates; readonly held: HeldMandate; readonly budget: Budget },
): Promise<boolean> {
  const { status, headers } = response;
  if (status === 401) {
    // Refused for its mandate, the call has not come to the upstream.
    return mandates.refused(held, errorFrom(code, status, headers)) && repeatable && --budget.mandates >= 0;
  }
  if ((status !== 429 && status !== 503) || !repeatable) return false;
  // The one refusal of these that may come when the upstream has the call already.
  if (code === 'shutting_down' && !['GET', 'HEAD', 'OPTIONS'].includes(method)) return false;
  const seconds = retryAfterSeconds(headers) ?? 1;
  if (seconds > MAX_WAIT_SECONDS || --budget.retries < 0) return false;
  await unlessAborted(elapsed(seconds), signal);
  return true;
}

/** For a library that was to see refusals as answers: what was refused before it was sent. */
function asResponse({ code, message, status, requestId, retryAfterSeconds: seconds }: CaracalError): Response {
  const headers = new Headers({ 'Content-Type': 'application/json', 'X-Caracal-Error': code });
  if (requestId !== undefined) headers.set('X-Caracal-Request-Id', requestId);
  if (seconds !== undefined) headers.set('Retry-After', String(seconds));
  return new Response(JSON.stringify({ error: code, error_description: message, requestId }), { status, headers });
}
