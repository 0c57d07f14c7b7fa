import type { Gateway } from '@caracal/core';
import {
  type DrainableServer,
  gatewayStarter,
  httpCases,
  localSubject,
  runHttpCase,
  startHttpSuite,
} from '@caracal/testkit';
import { afterAll, describe, it } from 'vitest';

/** Declares the HTTP suite for one adapter. */
export async function declareHttpSuite(
  adapter: string,
  createServer: (gateway: Gateway) => DrainableServer | Promise<DrainableServer>,
  gaps: Readonly<Record<string, string>>,
): Promise<void> {
  const suite = await startHttpSuite({ start: (config) => localSubject(config, gatewayStarter(createServer)), gaps });
  afterAll(() => suite.close());
  describe(`the HTTP suite through ${adapter}`, () => {
    for (const httpCase of httpCases) it(httpCase.name, () => runHttpCase(httpCase, suite));
  });
}
