import {
  apiKey,
  bearerToken,
  createGateway,
  httpBasic,
  memoryRevocationStore,
  noCredential,
  presentedMandate,
  Secret,
} from '@caracal/core';

const PROVIDERS = {
  none: ({ id }) => noCredential(id),
  api_key: apiKey,
  bearer_token: bearerToken,
  http_basic: httpBasic,
  caracal_mandate: presentedMandate,
};

/** Makes a starter of gateways for the HTTP suite: from its JSON configuration, served by the given adapter. */
export function gatewayStarter(createServer) {
  return async ({ issuers, resources, durability, ...rest }, onRecord) => {
    const revocations = memoryRevocationStore();
    const gateway = createGateway({
      ...rest,
      issuers: issuers.map(({ jwks, ...issuer }) => ({ ...issuer, keys: jwks.keys })),
      resources: resources.map((resource) => ({ ...resource, provider: provider(resource.provider) })),
      revocations,
      audit: { sink: { append: (record) => onRecord(record) }, durability },
    });
    const server = createServer(gateway);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
      port: server.address().port,
      revoke: (anchor) => revocations.revoke(anchor),
      close: () => server.drain({ timeoutMs: 1000 }),
    };
  };
}

function provider({ kind, secret, ...options }) {
  return PROVIDERS[kind](secret === undefined ? options : { ...options, secret: new Secret(secret.plain) });
}
