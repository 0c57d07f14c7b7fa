import { createServer } from '@caracal/node';
import { httpCases, localSubject, runHttpCase, startHttpSuite } from '@caracal/testkit';
import { afterAll, describe, it } from 'vitest';
import { gatewayStarter } from '../runtimes/start-gateway.mjs';

const suite = await startHttpSuite({ start: (config) => localSubject(config, gatewayStarter(createServer)) });

afterAll(() => suite.close());

describe('the HTTP suite through @caracal/node', () => {
  for (const httpCase of httpCases) it(httpCase.name, () => runHttpCase(httpCase, suite));
});
