import { manualClock, outboundCases } from '@caracal/testkit';
import { guardedOutbound } from '@caracal/transport';
import { portSuite } from './port-suite.js';

portSuite('guardedOutbound', outboundCases, async () => {
  const store = guardedOutbound();
  return { store, now: manualClock().now, close: () => store.close() };
});
