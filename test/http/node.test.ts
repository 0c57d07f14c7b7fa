import { createServer } from '@caracal/node';
import { gatewayStarter, httpCases, localSubject, runHttpCase, startHttpSuite } from '@caracal/testkit';
import { afterAll, describe, it } from 'vitest';
import { gapsOf } from '../runtimes/gaps.mjs';

const suite = await startHttpSuite({
  start: (config) => localSubject(config, gatewayStarter(createServer)),
  gaps: gapsOf('node-20'),
});

afterAll(() => suite.close());

describe('the HTTP suite through @caracal/node', () => {
  for (const httpCase of httpCases) it(httpCase.name, () => runHttpCase(httpCase, suite));
});
