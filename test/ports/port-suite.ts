import type { MakePort, MakeShared, PortCase, SharedCase } from '@caracal/testkit';
import { describe, it } from 'vitest';

/** Runs the cases of a port against one implementation. */
export function portSuite<Port>(name: string, cases: readonly PortCase<Port>[], make: MakePort<Port>): void {
  describe(name, () => {
    for (const { name: requirement, run } of cases) it(requirement, () => run(make));
  });
}

/** Runs the cases of a port that several processes share. */
export function sharedSuite<Port>(name: string, cases: readonly SharedCase<Port>[], make: MakeShared<Port>): void {
  describe(name, () => {
    for (const { name: requirement, run } of cases) it(requirement, () => run(make));
  });
}
