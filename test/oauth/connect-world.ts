import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import {
  type AuditRecord,
  type ConnectionStore,
  type Denial,
  generateSealingKey,
  memoryConnectionStore,
  memoryReplayStore,
  memoryTokenCache,
  Secret,
} from '@caracal/core';
import {
  type AuthorizationCodeOptions,
  type AuthorizationCodeProvider,
  type ConnectLinks,
  type ConnectService,
  connectLinks,
  createConnectService,
  type OAuthEvent,
  oauth2AuthorizationCode,
} from '@caracal/oauth';
import { type GuardedOutbound, guardedOutbound } from '@caracal/transport';
import { type AuthorizationServer, CLIENT_SECRET, startAuthorizationServer } from './authorization-server.js';
import { type AdjustableClock, adjustableClock } from './clock.js';
import { MiniBrowser, type Page } from './mini-browser.js';
import { credentialRequest } from './requests.js';

/** Where accounts are connected: the issuer people sign in at, the upstream's server, the connect pages, one or more gateways. */
export interface ConnectWorld {
  readonly signIn: AuthorizationServer;
  readonly upstream: AuthorizationServer;
  readonly publicUrl: string;
  readonly links: ConnectLinks;
  readonly service: ConnectService;
  readonly connections: ConnectionStore;
  readonly provider: AuthorizationCodeProvider;
  readonly clock: AdjustableClock;
  readonly events: OAuthEvent[];
  /** Evidence of connections, and what was told of what could not be written; `broken` sinks take nothing. */
  readonly audit: { readonly records: AuditRecord[]; readonly faults: unknown[]; broken: boolean };
  /** Options of another gateway with the same stores. */
  readonly options: AuthorizationCodeOptions;
  /** The address a subject without a connection is told. */
  connectUri(subject?: string, of?: AuthorizationCodeProvider): Promise<string>;
  /** Signs in, decides to connect, signs in upstream and consents. */
  connect(subject?: string, account?: string, browser?: MiniBrowser): Promise<Page>;
  close(): Promise<void>;
}

export const PROVIDER_ID = 'provider://files';

/** Makes one. What began less than `clockSkewSeconds` after it was made is unknown to its replay store. */
export async function connectWorld(
  changes: Partial<AuthorizationCodeOptions> = {},
  clockSkewSeconds = 0,
): Promise<ConnectWorld> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const publicUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clock = adjustableClock();
  const sealing = changes.sealing ?? [{ id: 'k1', key: generateSealingKey() }];
  const links = connectLinks({ publicUrl, sealing, clock });
  const signIn = await startAuthorizationServer({
    clients: () => [
      {
        client_id: 'caracal',
        client_secret: CLIENT_SECRET,
        redirect_uris: [`${publicUrl}/connect/signed-in/sign-in`],
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
  });
  const upstream = await startAuthorizationServer({
    clients: () => [
      {
        client_id: 'gateway',
        client_secret: CLIENT_SECRET,
        redirect_uris: [links.callbackUri(PROVIDER_ID)],
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
  });
  const outbound: GuardedOutbound = guardedOutbound();
  const events: OAuthEvent[] = [];
  const audit = { records: [] as AuditRecord[], faults: [] as unknown[], broken: false };
  const append = async (record: AuditRecord): Promise<void> => {
    if (audit.broken) throw new Error('the disk is full');
    audit.records.push(record);
  };
  const connections = changes.connections ?? memoryConnectionStore();
  const services = {
    outbound,
    sealing,
    clock,
    onEvent: (event: OAuthEvent) => void events.push(event),
    audit: { sink: { append }, gatewayId: 'test-gateway', onFault: (cause: unknown) => void audit.faults.push(cause) },
  };
  const options: AuthorizationCodeOptions = {
    id: PROVIDER_ID,
    issuer: upstream.issuer,
    clientId: 'gateway',
    clientSecret: new Secret(CLIENT_SECRET),
    scopes: ['openid', 'offline_access'],
    authorizationParameters: { prompt: 'consent' },
    allowPrivateNetwork: true,
    title: 'Files <&> Co',
    tokenCache: memoryTokenCache({ clock }),
    connections,
    connect: links,
    ...services,
    ...changes,
  };
  const provider = oauth2AuthorizationCode(options);
  const service = createConnectService({
    ...services,
    links,
    providers: [provider],
    replays: memoryReplayStore({ clock, clockSkewSeconds }),
    signIn: [
      {
        issuer: signIn.issuer,
        clientId: 'caracal',
        clientSecret: new Secret(CLIENT_SECRET),
        redirectUri: `${publicUrl}/connect/signed-in/sign-in`,
        allowPrivateNetwork: true,
      },
    ],
  });
  server.on('request', (request, response) => void serve(service, publicUrl, request, response));

  async function connectUri(subject = 'alice', of = provider): Promise<string> {
    const denial = (await of.attach(credentialRequest(of, { subject, issuer: signIn.issuer }))) as Denial;
    if (denial.code !== 'connection_required') throw new Error(`${denial.code} ${denial.reason}`);
    return denial.members?.connectUri ?? '';
  }

  return {
    signIn,
    upstream,
    publicUrl,
    links,
    service,
    connections,
    provider,
    clock,
    events,
    audit,
    options,
    connectUri,
    connect: async (subject = 'alice', account = `${subject}@upstream`, browser = new MiniBrowser()) => {
      const decision = await browser.signIn(await browser.open(await connectUri(subject)), subject);
      const consent = await browser.submit(decision, { do: 'connect' });
      return browser.signIn(consent, account);
    },
    close: async () => {
      await outbound.close();
      await Promise.all([signIn.close(), upstream.close()]);
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

async function serve(
  service: ConnectService,
  publicUrl: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const hasBody = request.method === 'POST';
  const answer = await service.handler(
    new Request(publicUrl + (request.url ?? '/'), {
      method: request.method ?? 'GET',
      headers: Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)]),
      ...(hasBody && { body: Readable.toWeb(request) as ReadableStream, duplex: 'half' }),
    } as RequestInit),
    { peer: request.socket.remoteAddress ?? '' },
  );
  if (answer === undefined) return void response.writeHead(404).end();
  const headers: string[] = [];
  for (const [name, value] of answer.headers) headers.push(name, value);
  response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
}
