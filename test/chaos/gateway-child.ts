// A governed gateway with a journal, to be killed: gateway-child.ts DIRECTORY CONFIG, where CONFIG is JSON.
import type { AddressInfo } from 'node:net';
import { createGateway, type IssuerOptions, noCredential } from '@caracal/core';
import { openJournal } from '@caracal/file';
import { createServer } from '@caracal/node';

const [, , , directory, text] = process.argv;
const { issuer, upstreamUrl } = JSON.parse(text!) as { issuer: IssuerOptions; upstreamUrl: string };
const journal = await openJournal({ directory: directory!, onWarning: () => {} });
const gateway = createGateway({
  issuers: [issuer],
  resources: [{ identifier: 'resource://chaos', upstreamUrl, allowPrivateNetwork: true, provider: noCredential() }],
  audit: { sink: journal, durability: 'written' },
});
const server = createServer(gateway);
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port, publicKey: journal.publicKey }));
});
