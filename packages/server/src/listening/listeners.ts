import type { IncomingMessage, Server } from 'node:http';
import { peerReader } from '@caracal/node';
import type { RequestOrigin } from '@caracal/sts';
import type { CaracalServer } from '../caracal-server.js';
import type { Configuration, ListenerTlsConfiguration } from '../configuration/configuration.js';
import { originOf, parseListen } from '../configuration/listen.js';
import type { ListenerName } from '../server-status.js';
import { bind } from './bind.js';
import { type Answer, type DirectAnswer, fetchServer } from './fetch-server.js';
import { type Certificate, readCertificate } from './listener-tls.js';

export const LISTENERS: readonly ListenerName[] = ['gateway', 'tokenService', 'admin'];

/** Of the listeners that serve HTTPS. */
export type Certificates = Readonly<Partial<Record<ListenerName, Certificate>>>;

/** Reads what a configuration names. @throws ConfigurationError */
export async function certificatesOf(configuration: Configuration): Promise<Certificates> {
  const certificates: Partial<Record<ListenerName, Certificate>> = {};
  for (const name of LISTENERS) {
    const files: ListenerTlsConfiguration | undefined = configuration[name]?.tls;
    if (files !== undefined) certificates[name] = await readCertificate(name, files);
  }
  return certificates;
}

/** The token service's server, which answers once the whole has started; `undefined` where there is none. */
export function tokenServiceListener(
  { tokenService }: Configuration,
  certificate: Certificate | undefined,
  started: Promise<CaracalServer>,
): Server | undefined {
  if (tokenService === undefined) return undefined;
  const peerOf = peerReader(tokenService.trustedProxies);
  const askedBy = ({ socket, rawHeaders }: IncomingMessage): RequestOrigin => {
    const peer = peerOf(socket.remoteAddress ?? '', rawHeaders);
    return peer === '' ? {} : { peer };
  };
  let running: CaracalServer | undefined;
  started.then(
    (server) => {
      running = server;
    },
    () => {}, // told by whoever started
  );
  const answer: Answer = async (request, incoming) => (await started).gateway.answerToken(request, askedBy(incoming));
  const direct: DirectAnswer = (incoming, outgoing) =>
    running?.gateway.listenToken(incoming, outgoing, () => askedBy(incoming)) ?? false;
  return fetchServer(answer, certificate, direct);
}

/** The admin endpoint's, likewise. */
export function adminListener(
  { admin }: Configuration,
  certificate: Certificate | undefined,
  started: Promise<CaracalServer>,
): Server | undefined {
  if (admin === undefined) return undefined;
  return fetchServer(async (request) => (await started).answerAdmin(request), certificate);
}

/** Binds a server to its place. Resolves with its port. @throws ListenError */
export function listen(name: ListenerName, server: Server, configuration: Configuration): Promise<number | undefined> {
  return bind(name, server, parseListen(configuration[name]!.listen)!);
}

/** Where a listener is reached from this machine. */
export function urlOf(name: ListenerName, configuration: Configuration, port: number | undefined): string | undefined {
  const listener = configuration[name];
  return listener === undefined ? undefined : originOf(parseListen(listener.listen)!, listener.tls !== undefined, port);
}

/** The `iss` of the token service's mandates. */
export function tokenIssuerOf(configuration: Configuration, port: number | undefined): string | undefined {
  return configuration.tokenService?.issuer ?? urlOf('tokenService', configuration, port);
}
