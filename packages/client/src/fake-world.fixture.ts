import { type Client, type ClientOptions, createClient } from './client.js';

/** A request as it would have gone over the network. */
export interface SentRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: unknown;
}

type Answer = (request: SentRequest) => Response | Promise<Response>;

/** Token endpoint and gateway, played by the test. */
export interface FakeWorld {
  readonly client: Client;
  readonly mints: SentRequest[];
  readonly calls: SentRequest[];
  onMint: Answer;
  onCall: Answer;
}

export const GATEWAY = 'https://gateway.example';
export const TOKEN_URL = 'https://tokens.example/oauth/2/token';
export const SECRET = 'the:secret %&=+ä';

/** Mandates are `m1`, `m2`, ... and good for 900 s; the upstream answers `ok`. */
export function fakeWorld(options: ClientOptions = {}): FakeWorld {
  const mints: SentRequest[] = [];
  const calls: SentRequest[] = [];
  const fetch = async (input: string | URL | Request, init: RequestInit = {}) => {
    const url = input instanceof Request ? input.url : String(input);
    const body = input instanceof Request ? await input.text() : init.body;
    const headers = new Headers(input instanceof Request ? input.headers : init.headers);
    const request = { url, method: init.method ?? (input as Request).method, headers, body };
    if (url === TOKEN_URL) {
      mints.push(request);
      return world.onMint(request);
    }
    calls.push(request);
    return world.onCall(request);
  };
  const world: FakeWorld = {
    mints,
    calls,
    onMint: () => Response.json({ access_token: `m${mints.length}`, expires_in: 900, token_type: 'Bearer' }),
    onCall: () => new Response('ok'),
    client: createClient({
      gatewayUrl: GATEWAY,
      tokenUrl: TOKEN_URL,
      zone: 'default',
      applicationId: 'agent',
      applicationSecret: SECRET,
      resources: [{ identifier: 'resource://api' }],
      fetch,
      ...options,
    }),
  };
  return world;
}

/** A refusal as the gateway makes it. */
export function refusal(
  status: number,
  code: string,
  headers: Record<string, string> = {},
  more: object = {},
): Response {
  return new Response(JSON.stringify({ error: code, error_description: 'text', requestId: 'r1', ...more }), {
    status,
    headers: {
      'Content-Type': 'application/json',
      'X-Caracal-Error': code,
      'X-Caracal-Request-Id': 'r1',
      ...headers,
    },
  });
}
