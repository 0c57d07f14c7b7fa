import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  apiKey,
  bearerToken,
  httpBasic,
  type Provider,
  Secret,
  type SecretReference,
  type SecretStore,
} from '@caracal/core';
import { type OAuthServices, oauth2AuthorizationCode, oauth2ClientCredentials } from '@caracal/oauth';

/** A provider as a recipe configures it. */
export type RecipeProvider = Readonly<Record<string, unknown>> & { readonly id: string; readonly kind: string };

const root = new URL('../../docs/providers/', import.meta.url);

/** The configuration of a recipe, with the vendor's addresses replaced by the stand-in's. */
export function recipe(name: string, replaced: Readonly<Record<string, string>>, block = 0): RecipeProvider {
  const text = readFileSync(fileURLToPath(new URL(`${name}.md`, root)), 'utf8');
  let json = [...text.matchAll(/```json\n([\s\S]*?)```/g)][block]?.[1] ?? '';
  for (const [vendor, standIn] of Object.entries(replaced)) json = json.replaceAll(vendor, standIn);
  return (JSON.parse(json) as { providers: RecipeProvider[] }).providers[0]!;
}

/** Makes a provider of a recipe, as the server does. */
export function providerOf(
  { kind, ...members }: RecipeProvider,
  secrets: Readonly<Record<string, string>>,
  services: Omit<OAuthServices, 'secrets'> & Readonly<Record<string, unknown>>,
): Provider {
  const store: SecretStore = {
    open: (reference: SecretReference) => new Secret(secrets[(reference as { env: string }).env] ?? ''),
  };
  const { certificate, ...rest } = members as { certificate?: { env: string } };
  const oauth = {
    ...services,
    ...rest,
    ...(certificate && { certificate: secrets[certificate.env] }),
    secrets: store,
    allowPrivateNetwork: true,
  };
  const make: Readonly<Record<string, () => Provider>> = {
    bearer_token: () => bearerToken({ ...members, secrets: store } as never),
    api_key: () => apiKey({ ...members, secrets: store } as never),
    http_basic: () => httpBasic({ ...members, secrets: store } as never),
    oauth2_client_credentials: () => oauth2ClientCredentials(oauth as never),
    oauth2_authorization_code: () => oauth2AuthorizationCode(oauth as never),
  };
  return make[kind]!();
}
