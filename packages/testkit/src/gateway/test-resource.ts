import { bearerToken, type ResourceDefinition, Secret } from '@caracal/core';

/** A resource as your gateway has it. Its `upstreamUrl` keeps its path alone, its provider its id alone: nothing real is called. */
export type TestResource = Omit<ResourceDefinition, 'provider'> & { readonly provider?: { readonly id: string } };

/** What every call of a {@link TestGateway} reaches its upstream with, in `Authorization`, behind `Bearer`. */
export const TEST_CREDENTIAL = 'the-credential-of-the-upstream';

/** The resource of a test that names none: `example:read` to read, `example:write` for the rest. */
export const EXAMPLE_RESOURCE: TestResource = {
  identifier: 'resource://example',
  scopes: ['example:read', 'example:write'],
  operations: [
    { method: 'GET', path: '/**', scopes: ['example:read'] },
    ...['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => ({ method, path: '/**', scopes: ['example:write'] })),
  ],
};

/** The same resource in front of the fake upstream. */
export function inFrontOf(upstreamUrl: string, { provider, tls: _, ...resource }: TestResource): ResourceDefinition {
  const path = resource.upstreamUrl === undefined ? '' : new URL(resource.upstreamUrl).pathname.replace(/\/$/, '');
  return {
    ...resource,
    upstreamUrl: upstreamUrl + path,
    allowPrivateNetwork: true,
    provider: bearerToken({ id: provider?.id ?? 'provider://test', secret: new Secret(TEST_CREDENTIAL) }),
  };
}
