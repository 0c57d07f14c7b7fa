import {
  generateSealingKey,
  memoryAuditSink,
  memoryConnectionStore,
  memoryRateLimiter,
  memoryReplayStore,
  memoryRevocationStore,
  memoryTokenCache,
  sealedSecretStore,
  sealSecret,
} from '@caracal/core';
import {
  auditSinkCases,
  connectionStoreCases,
  type FillableSecretStore,
  type ManualClock,
  manualClock,
  type PortSubject,
  type PortWishes,
  type ReadableAuditSink,
  rateLimiterCases,
  replayStoreCases,
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

portSuite('memoryConnectionStore', connectionStoreCases, async (wishes) =>
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
