import type { Anchor, AnchorKind, RevocationStore } from '@caracal/core';
import { DirectoryLockedError, fileRevocationStore, StorageError } from '@caracal/file';
import type { Configuration } from '../configuration/configuration.js';
import { ConfigurationError } from '../configuration/problem.js';
import type { OptionSpecs, OptionValues } from '../frame/command.js';
import { defineCommand } from '../frame/command.js';
import { failed, wrongUse } from '../frame/command-error.js';
import { changeAnchors, isNotReplicated, NOT_REPLICATED } from '../state/change-anchors.js';
import { adminClient, adminFault } from './admin-client.js';
import { CONFIG_OR_DEV_OPTION, configurationFault, openConfiguration } from './configuration-option.js';
import { defaultIssuer } from './default-issuer.js';
import { NotListeningError } from './local-request.js';

/** How long a shared store may take to be reached, ms. */
const CONNECT_TIMEOUT_MS = 10_000;
const RETRY_MS = 100;

const NOT_CONFIRMED =
  'in effect and written, but not confirmed by as many replicas as stores.redis.waitReplicas says: a failover could lose it; run it again';

/** What can be revoked, and the anchors each stands for. */
const KINDS = {
  session: {
    kinds: ['sid', 'agent_session_id'],
    help: 'the session with this id, as sid and as agent_session_id',
  },
  root: { kinds: ['root_sid'], help: 'every session that came from this one' },
  delegation: { kinds: ['delegation_edge_id'], help: 'whatever was delegated over this edge' },
  application: { kinds: ['client_id'], help: 'all of an application, until lifted' },
  subject: { kinds: ['sub'], help: 'all of a subject, until lifted' },
  jti: { kinds: ['jti'], help: 'one mandate' },
} as const satisfies Record<string, { readonly kinds: readonly AnchorKind[]; readonly help: string }>;

type KindOption = keyof typeof KINDS;

const KIND_OPTIONS = Object.fromEntries(
  Object.entries(KINDS).map(([name, { help }]) => [name, { type: 'string', value: 'ID', help }]),
) as { readonly [K in KindOption]: { readonly type: 'string'; readonly value: 'ID'; readonly help: string } };

const OPTIONS = {
  ...KIND_OPTIONS,
  zone: { type: 'string', value: 'ID', help: 'of this zone; default the zone of the configuration' },
  issuer: { type: 'string', value: 'URL', help: 'of this issuer; default the token service, else the only issuer' },
  lift: { type: 'boolean', help: 'lifts the revocation' },
  ...CONFIG_OR_DEV_OPTION,
} as const satisfies OptionSpecs;

export const revoke = defineCommand({
  name: 'revoke',
  summary: 'refuses what is named from now on, everywhere, and cuts its open streams',
  options: OPTIONS,
  details: [
    'Give exactly one of the first six. Revoking goes through the admin endpoint of the running gateway; where none answers, into the ' +
      'shared Redis, or into the state directory if no gateway has it open. Status 0 means that it is on disk and holds, and with ' +
      'stores.redis.waitReplicas that so many replicas have it; where only these are missing it is in effect, and the message says so. Sessions, edges and mandates stay revoked as long as one of theirs ' +
      'can live; applications and subjects until lifted.',
  ],
  examples: [
    'caracal revoke --session 01a20a51-039c-707a-bdee-21e75a19281f',
    'caracal revoke --application billing-agent',
    'caracal revoke --application billing-agent --lift',
  ],
  async run(invocation) {
    const { options, output, env } = invocation;
    const [name, id] = chosenKind(options);
    const { configuration } = await openConfiguration(invocation, { orDev: true });
    const zoneId = options.zone ?? configuration.zone;
    const issuer = options.issuer ?? defaultIssuer(configuration);
    const anchors = KINDS[name].kinds.map((kind) => ({ zoneId, issuer, kind, id }));
    const way =
      (await throughAdmin(configuration, anchors, options.lift, env)) ??
      (await directly(configuration, anchors, options.lift, env));
    const done = options.lift ? 'lifted' : 'revoked';
    await output.tell(`${done}: ${name} ${id} of ${issuer} in zone ${zoneId}, through the ${way}`, {
      [done]: anchors.map(({ zoneId: zone, ...anchor }) => ({ zone, ...anchor })),
      through: way,
    });
    return 0;
  },
});

function chosenKind(options: OptionValues<typeof OPTIONS>): readonly [KindOption, string] {
  const names = Object.keys(KINDS) as KindOption[];
  const given = names.flatMap((name) => {
    const id = options[name];
    return id === undefined ? [] : [[name, id] as const];
  });
  const [only, ...more] = given;
  const all = names.map((name) => `--${name}`).join(', ');
  if (only === undefined) throw wrongUse(`say what to revoke: one of ${all}`);
  if (more.length > 0) throw wrongUse(`give one of ${all}, not several: each is a command of its own`);
  return only;
}

/** `undefined` where no gateway answers. */
async function throughAdmin(
  configuration: Configuration,
  anchors: readonly Anchor[],
  lift: boolean,
  env: NodeJS.ProcessEnv,
): Promise<'admin endpoint' | undefined> {
  const admin = adminClient(configuration, env);
  if (admin === undefined) return undefined;
  const path = lift ? '/v1/revocations/lift' : '/v1/revocations';
  const body = { anchors: anchors.map(({ zoneId, issuer, kind, id }) => ({ zone: zoneId, issuer, kind, id })) };
  try {
    const answer = await admin.ask('POST', path, body);
    const { error } = (answer.body ?? {}) as { readonly error?: unknown };
    if (error === NOT_REPLICATED) throw failed(NOT_CONFIRMED);
    if (answer.status !== 200) throw failed(`nothing is certain: ${adminFault(answer)}`);
    return 'admin endpoint';
  } catch (cause) {
    if (cause instanceof NotListeningError) return undefined;
    throw cause;
  }
}

/** Where no gateway answers: straight into the store that gateways read. */
async function directly(
  configuration: Configuration,
  anchors: readonly Anchor[],
  lift: boolean,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const { redis } = configuration.stores;
  const store = redis === undefined ? await fileStore(configuration) : await sharedStore(redis, env);
  try {
    await changeAnchors(anchors, (anchor) => (lift ? store.lift(anchor) : store.revoke(anchor)));
    return redis === undefined ? 'state directory' : 'shared Redis';
  } catch (cause) {
    if (cause instanceof TypeError) throw wrongUse(cause.message);
    if (isNotReplicated(cause)) throw failed(NOT_CONFIRMED);
    throw failed(`nothing is certain, run it again: ${cause instanceof Error ? cause.message : 'unknown error'}`);
  } finally {
    await store.close();
  }
}

type DirectStore = Pick<RevocationStore, 'revoke' | 'lift'> & { close(): Promise<void> };

async function fileStore({ stores, admin }: Configuration): Promise<DirectStore> {
  const directory = stores.stateDirectory;
  try {
    return await fileRevocationStore({ directory });
  } catch (cause) {
    if (cause instanceof StorageError) throw failed(cause.message);
    if (!(cause instanceof DirectoryLockedError)) throw cause;
    const remedy =
      admin === undefined
        ? 'and the configuration names no admin endpoint to revoke through; add admin, or stop the gateway first'
        : 'and its admin endpoint does not answer; is it the gateway of this configuration?';
    throw failed(`${directory} is in use by a running gateway, ${remedy}`);
  }
}

/** Every gateway with this Redis reads it, wherever it runs. */
async function sharedStore(
  redis: NonNullable<Configuration['stores']['redis']>,
  env: NodeJS.ProcessEnv,
): Promise<DirectStore> {
  const { openRedisStores } = await import('../state/redis-stores.js');
  const stores = await openRedisStores(redis, env, () => {}).catch((cause: unknown) => {
    throw cause instanceof ConfigurationError ? configurationFault(cause) : cause;
  });
  const { revocations } = stores;
  return {
    revoke: (anchor) => connected(() => revocations.revoke(anchor)),
    lift: (anchor) => connected(() => revocations.lift(anchor)),
    close: () => stores.close(),
  };
}

// A connection takes a moment to be there; a Redis that is away is not waited for for long.
async function connected(change: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    try {
      return await change();
    } catch (cause) {
      if (performance.now() > deadline || isNotReplicated(cause)) throw cause;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
