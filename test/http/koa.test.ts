import { gatewayStarter, httpCases, localSubject, runHttpCase, startHttpSuite } from '@caracal/testkit';
import { afterAll, describe, it } from 'vitest';
import { koaServer } from '../../docs/examples/adapters/koa.js';
import { gapsOf } from '../runtimes/gaps.mjs';

// Frameworks without a package of their own have the suite in test/runtimes.
const suite = await startHttpSuite({
  start: (config) => localSubject(config, gatewayStarter(koaServer)),
  gaps: gapsOf('koa'),
});

afterAll(() => suite.close());

describe('the HTTP suite through @caracal/koa', () => {
  for (const httpCase of httpCases) it(httpCase.name, () => runHttpCase(httpCase, suite));
});
