import { type Attached, admissionPipeline, deny, type Stage } from '@caracal/core';
import { describe, expect, it } from 'vitest';
import { fakeWorld } from './fake-world.js';

const officeHours: Stage<Attached, Attached> = {
  rows: 'ours',
  name: 'office hours',
  spends: false,
  run: (admission) => (admission.path.endsWith('/night') ? deny('access_denied', 'at_night') : admission),
};

describe('a pipeline of one’s own', () => {
  it('decides, forwards and leaves evidence as the gateway’s does, with one more stage', async () => {
    const world = await fakeWorld({}, { pipeline: (parts) => admissionPipeline(parts).stage(officeHours) });
    const mandate = await world.mint();
    expect(await world.send(world.head(mandate))).toMatchObject({ status: 200 });
    const refused = await world.send(world.head(mandate, { target: '/v1/invoices/night' }));
    expect(refused).toMatchObject({ status: 403, error: 'access_denied' });
    // It stands behind the authorization record, so that its refusal completes that record.
    expect(world.audit.records().at(-1)).toMatchObject({
      type: 'request.completed',
      outcome: 'refused',
      reason: 'at_night',
    });
    const explanation = await world.gateway.explain(world.head(mandate));
    expect(explanation.checks.at(-1)).toMatchObject({ name: 'office hours', result: 'passed' });
  });
});
