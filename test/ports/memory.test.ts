import {
  type Authorizer,
  addressPolicy,
  type Clock,
  generateSealingKey,
  type KeySource,
  localKeySource,
  memoryAuditSink,
  memoryConnectionStore,
  memoryRateLimiter,
  memoryReplayStore,
  memoryResourceDirectory,
  memoryRevocationStore,
  memoryTokenCache,
  remoteKeySource,
  sealedSecretStore,
  sealSecret,
} from '@caracal/core';
import {
  auditSinkCases,
  authorizationRequest,
  authorizerCases,
  connectionStoreCases,
  type FillableResourceDirectory,
  type FillableSecretStore,
  keyRotationCases,
  keySourceCases,
  listedConnectionsCases,
  type ManualClock,
  manualClock,
  type PortSubject,
  type PortWishes,
  type PublishableKeySource,
  type ReadableAuditSink,
  rateLimiterCases,
  replayStoreCases,
  resourceDirectoryCases,
  revocationStoreCases,
  secretStoreCases,
  tokenCacheCases,
} from '@caracal/testkit';
import { portSuite } from './port-suite.js';

function subject<Port>(store: Port, clock: ManualClock = manualClock()): PortSubject<Port> {
  return {
    store,
    now: clock.now,
    advance: async (ms) => clock.advance(ms),
    close: async () => undefined,
  };
}

function maxEntries({ capacity }: PortWishes = {}): { maxEntries?: number } {
  return capacity === undefined ? {} : { maxEntries: capacity };
}

portSuite('memoryReplayStore', replayStoreCases, async (wishes) => {
  const clock = manualClock();
  return subject(memoryReplayStore({ clock, ...maxEntries(wishes) }), clock);
});

portSuite('memoryReplayStore with room for skewed clocks', replayStoreCases, async (wishes) => {
  const clock = manualClock();
  return subject(memoryReplayStore({ clock, clockSkewSeconds: 60, ...maxEntries(wishes) }), clock);
});

portSuite('memoryRevocationStore', revocationStoreCases, async (wishes) => {
  const clock = manualClock();
  return subject(memoryRevocationStore({ clock, ...maxEntries(wishes) }), clock);
});

portSuite('memoryRateLimiter', rateLimiterCases, async (wishes) => {
  const clock = manualClock();
  const bound = wishes?.capacity === undefined ? {} : { maxKeys: wishes.capacity };
  return subject(memoryRateLimiter({ clock, ...bound }), clock);
});

portSuite('memoryTokenCache', tokenCacheCases, async (wishes) => {
  const clock = manualClock();
  return subject(memoryTokenCache({ clock, ...maxEntries(wishes) }), clock);
});

portSuite('memoryConnectionStore', [...connectionStoreCases, ...listedConnectionsCases], async (wishes) =>
  subject(memoryConnectionStore(maxEntries(wishes))),
);

portSuite('memoryAuditSink', auditSinkCases, async () => {
  const sink = memoryAuditSink();
  const readable: ReadableAuditSink = {
    append: (record, durability) => sink.append(record, durability),
    stored: async () => sink.records(),
  };
  return subject(readable);
});

portSuite('sealedSecretStore', secretStoreCases, async () => {
  const key = { id: 'k1', key: generateSealingKey() };
  const store = sealedSecretStore({ keys: [key] });
  const fillable: FillableSecretStore = {
    open: (reference, binding) => store.open(reference, binding),
    place: async (text, binding) => ({ sealed: await sealSecret(text, key, binding) }),
  };
  return subject(fillable);
});

portSuite('memoryResourceDirectory', resourceDirectoryCases, async () => {
  let directory = memoryResourceDirectory([]);
  const fillable: FillableResourceDirectory = {
    byIdentifier: (zoneId, identifier) => directory.byIdentifier(zoneId, identifier),
    byMount: (zoneId, host, path) => directory.byMount(zoneId, host, path),
    namesMethod: (method) => directory.namesMethod(method),
    extraMethods: () => directory.extraMethods(),
    fill: async (definitions) => {
      directory = memoryResourceDirectory(definitions);
    },
  };
  return subject(fillable);
});

const ISSUER = { issuer: 'https://issuer.example', algorithms: new Set(['ES256', 'PS256']), onWarning() {} };

function givenKeys(): PublishableKeySource {
  let source: KeySource | undefined;
  const given = (): KeySource => {
    if (source === undefined) throw new Error('no keys were published');
    return source;
  };
  return {
    current: () => given().current(),
    refresh: (kid) => given().refresh(kid),
    version: () => given().version(),
    publish: async (keys = []) => {
      source = localKeySource({ ...ISSUER, keys });
    },
  };
}

function fetchedKeys(clock: Clock): PublishableKeySource {
  let published: readonly object[] | undefined;
  const source = remoteKeySource({
    ...ISSUER,
    clock,
    jwksUri: 'https://issuer.example/jwks',
    addressPolicy: addressPolicy(false),
    outbound: {
      fetch: async () => {
        if (published === undefined) throw new Error('unreachable');
        return { status: 200, headers: [], body: new TextEncoder().encode(JSON.stringify({ keys: published })) };
      },
    },
  });
  return {
    current: () => source.current(),
    refresh: (kid) => source.refresh(kid),
    version: () => source.version(),
    publish: async (keys) => {
      published = keys;
    },
  };
}

portSuite('localKeySource', keySourceCases, async () => subject(givenKeys()));

portSuite('remoteKeySource', [...keySourceCases, ...keyRotationCases], async () => {
  const clock = manualClock();
  return subject(fetchedKeys(clock), clock);
});

const readersOnly: Authorizer = {
  authorize: ({ principal, operation }) =>
    operation.method === 'GET' && principal.scopes.has('invoices:read')
      ? { allowed: true, policies: ['readers'] }
      : { allowed: false, reason: 'not a reader', policies: [] },
};

portSuite('a function of the question as an authorizer', authorizerCases, async () =>
  subject({
    authorize: readersOnly.authorize,
    questions: {
      allowed: authorizationRequest(),
      denied: authorizationRequest({ principal: { scopes: new Set() } }),
    },
  }),
);
