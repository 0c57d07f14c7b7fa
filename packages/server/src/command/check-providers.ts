import { generateSealingKey, memoryConnectionStore, memoryReplayStore, type Provider } from '@caracal/core';
import { connectLinks, type Probe, type Probeable } from '@caracal/oauth';
import { guardedOutbound } from '@caracal/transport';
import type { Configuration, ProviderConfiguration } from '../configuration/configuration.js';
import type { ConfigurationProblem } from '../configuration/problem.js';
import { connectableOf, connectServiceOf } from '../connect/connect-pages.js';
import { certificateReference, exchangeOf } from '../generation/generation.js';
import type { OAuthEnvironment } from '../providers/oauth-environment.js';
import { makeProvider } from '../providers/provider-kinds.js';
import { hasGeneratedKey, loadSealingKeys } from '../secrets/sealing-keys.js';
import { serverSecrets } from '../secrets/server-secrets.js';
import { tryRead } from '../secrets/try-read.js';
import { localOrigin } from './local-request.js';
import { probeRemedy } from './probe-remedies.js';

/** What a real request to an authorization server came to. */
export interface ProviderRow {
  /** The provider; or `sign-in:<issuer>`. */
  readonly provider: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  /** As in records. */
  readonly reason?: string;
  readonly explanation?: string;
  readonly remedy?: string;
}

/** Beyond a provider's own deadline, ms: what waits neither for a socket nor for its answer. */
const GRACE_MS = 5_000;
const DEFAULT_TIMEOUT_MS = 5_000;

/**
 * Asks, for real, the authorization servers of these providers, all at once, and the places where people sign in. Each answer comes
 * within the provider's `timeoutMs` and five seconds. Changes nothing here; a server may count a failed attempt.
 */
export async function providerChecks(
  configuration: Configuration,
  wanted: (provider: ProviderConfiguration) => boolean,
  env: NodeJS.ProcessEnv,
): Promise<readonly ProviderRow[]> {
  const chosen = configuration.providers.filter((provider) => isProbed(provider, configuration) && wanted(provider));
  if (chosen.length === 0) return [];
  // Looking changes nothing: without a key of its own none is made in the state directory.
  const hasKeys = configuration.sealing !== undefined || (await hasGeneratedKey(configuration));
  const keys = hasKeys
    ? (await loadSealingKeys(configuration, env)).keys
    : [{ id: 'check', key: generateSealingKey() }];
  const secrets = serverSecrets({ keys, generated: false }, env);
  const outbound = guardedOutbound();
  const publicUrl = configuration.connect?.publicUrl ?? issuerOf(configuration);
  const oauth: OAuthEnvironment = {
    outbound,
    tokenCache: undefined,
    sealing: keys,
    connections: memoryConnectionStore(),
    links: publicUrl === undefined ? undefined : connectLinks({ publicUrl, sealing: keys }),
    exchange: exchangeOf(configuration, unused),
    onEvent: undefined,
    audit: undefined,
  };
  try {
    const certificates = await certificatesOf(chosen, env);
    const made: Provider[] = [];
    const asked = chosen.map(async (provider): Promise<ProviderRow> => {
      if (provider.kind === 'oauth2_authorization_code' && publicUrl === undefined) return withoutAddress(provider.id);
      const probeable = makeProvider(provider, { secrets, oauth, certificates }) as Provider & Probeable;
      made.push(probeable);
      const timeoutMs = 'timeoutMs' in provider ? provider.timeoutMs : undefined;
      const probe = probeable.probe(zoneOf(provider, configuration));
      return rowOf(provider.id, await within(probe, timeoutMs));
    });
    const rows = Promise.all(asked);
    rows.catch(() => {}); // told below, once nothing is under way
    const service = connectServiceOf(configuration, connectableOf(made), oauth, {
      secrets,
      replays: memoryReplayStore(),
    });
    const signIns = await service?.probeSignIn(configuration.zone);
    return [...(await rows), ...[...(signIns ?? [])].map(([issuer, probe]) => rowOf(`sign-in:${issuer}`, probe))];
  } finally {
    secrets.close();
    await outbound.close();
  }
}

function isProbed({ kind }: ProviderConfiguration, { gateway, tokenService }: Configuration): boolean {
  if (kind === 'caracal_mandate') return gateway.identity !== undefined && tokenService === undefined;
  return kind === 'oauth2_client_credentials' || kind === 'oauth2_authorization_code';
}

function zoneOf({ id }: ProviderConfiguration, { zone, resources }: Configuration): string {
  return resources.find(({ provider }) => provider === id)?.zone ?? zone;
}

function issuerOf({ tokenService }: Configuration): string | undefined {
  return tokenService && (tokenService.issuer ?? localOrigin(tokenService));
}

function withoutAddress(provider: string): ProviderRow {
  const explanation = 'tokenService.listen leaves the port to the system, so its redirect URI is not known';
  return { provider, result: 'skipped', explanation };
}

function rowOf(provider: string, probe: Probe): ProviderRow {
  if (probe.ok) return { provider, result: 'passed' };
  const { reason, explanation } = probe;
  const remedy = probeRemedy(reason);
  return {
    provider,
    result: 'failed',
    reason,
    ...(explanation !== undefined && { explanation }),
    ...(remedy !== undefined && { remedy }),
  };
}

async function within(probe: Promise<Probe>, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<Probe> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Probe>((resolve) => {
    const answer = { ok: false, reason: 'token_endpoint_timeout', explanation: 'nothing came in time' } as const;
    timer = setTimeout(() => resolve(answer), timeoutMs + GRACE_MS);
  });
  try {
    return await Promise.race([probe, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function certificatesOf(
  providers: readonly ProviderConfiguration[],
  env: NodeJS.ProcessEnv,
): Promise<ReadonlyMap<string, string>> {
  const problems: ConfigurationProblem[] = [];
  const certificates = new Map<string, string>();
  for (const provider of providers) {
    const reference = certificateReference(provider);
    if (reference === undefined) continue;
    const text = await tryRead(reference, provider.id, env, problems);
    if (text !== undefined) certificates.set(provider.id, text.reveal());
  }
  return certificates;
}

function unused(): never {
  throw new TypeError('no mandate is exchanged while providers are checked');
}
