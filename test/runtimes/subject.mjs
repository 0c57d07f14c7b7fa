// A gateway for the HTTP suite, under whatever runtime this program is started with.
import { gatewayStarter, serveSubject } from '@caracal/testkit';

const { createServer } = 'Deno' in globalThis ? await import('@caracal/deno') : await import('@caracal/node');

await serveSubject(gatewayStarter(createServer));
