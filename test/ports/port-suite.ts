import { describe, it } from 'vitest';
import type { MakePort, PortCase } from '../../packages/testkit/src/ports/index.js';

/** Runs the cases of a port against one implementation. */
export function portSuite<Port>(name: string, cases: readonly PortCase<Port>[], make: MakePort<Port>): void {
  describe(name, () => {
    for (const { name: requirement, run } of cases) it(requirement, () => run(make));
  });
}
