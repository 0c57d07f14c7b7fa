import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type ClientMetadata } from 'oidc-provider';

/** One request to the token endpoint that was answered. */
export interface TokenRequest {
  readonly grantType: string;
  readonly status: number;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The members of the answer. */
  readonly answer: Readonly<Record<string, unknown>>;
}

/** A real authorization server on loopback, with refresh rotation and reuse detection. */
export interface AuthorizationServer {
  readonly issuer: string;
  /** Requests to the token endpoint so far. */
  readonly tokenRequests: TokenRequest[];
  /** Tokens that were revoked at the revocation endpoint. */
  readonly revoked: string[];
  /** Called before a request is answered: a test holds or drops it. */
  before: ((request: IncomingMessage) => Promise<void>) | undefined;
  /** Called when the token endpoint has answered, before the answer is sent. */
  answered: ((request: TokenRequest) => Promise<void>) | undefined;
  close(): Promise<void>;
}

export const CLIENT_SECRET = 'client:secret %+&=/-canary-20c7';

/** A client that gets tokens for itself. */
export const MACHINE_CLIENT: ClientMetadata = {
  client_id: 'machine',
  client_secret: CLIENT_SECRET,
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
};

/** What a test wants of its server. */
export interface AuthorizationServerOptions {
  readonly clients: (issuer: string) => readonly ClientMetadata[];
  /** Life of access tokens, s. Default 600. */
  readonly accessTokenSeconds?: number;
}

/** Starts one. */
export async function startAuthorizationServer(options: AuthorizationServerOptions): Promise<AuthorizationServer> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const seconds = options.accessTokenSeconds ?? 600;
  const configuration = {
    clients: [...options.clients(issuer)],
    features: {
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      devInteractions: { enabled: true },
    },
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    pkce: { required: () => true },
    ttl: {
      AccessToken: seconds,
      ClientCredentials: seconds,
      RefreshToken: 86_400,
      Session: 3_600,
      Grant: 86_400,
      IdToken: 600,
      Interaction: 600,
    },
    findAccount: async (_context: unknown, id: string) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    cookies: { keys: ['test'] },
  };
  const provider = new Provider(issuer, configuration);
  const started: AuthorizationServer = {
    issuer,
    tokenRequests: [],
    revoked: [],
    before: undefined,
    answered: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  provider.use(async (context, next) => {
    await started.before?.(context.req);
    await next();
    if (context.path === '/token/revocation') started.revoked.push(String(context.oidc?.params?.token));
    if (context.path !== '/token') return;
    const parameters = { ...context.oidc?.params };
    const request = {
      grantType: String(parameters.grant_type),
      status: context.status,
      parameters,
      answer: { ...(context.body as object) },
    };
    started.tokenRequests.push(request);
    await started.answered?.(request);
  });
  const handle = provider.callback();
  server.on('request', (request, response) => void handle(request, response));
  return started;
}
