import type { Attached } from '../admission.js';
import { ask } from '../ask.js';
import { deny } from '../errors.js';
import type { Stage } from '../pipeline.js';
import type { Recorder } from './recorder.js';

/** Row 16: the audit has room for every record of this request. */
export function reservedRoom(recorder: Recorder): Stage<Attached, Attached> {
  return {
    rows: '16',
    name: 'audit room',
    spends: true,
    run: (admission) => (recorder.reserve(admission) ? admission : deny('audit_unavailable', 'no_room')),
  };
}

/** Row 18: the authorization record is accepted, before anything goes upstream. */
export function acceptedRecord(recorder: Recorder, timeoutMs: number): Stage<Attached, Attached> {
  return {
    rows: '18',
    name: 'authorization record',
    spends: true,
    run: (admission) => ask('audit_unavailable', timeoutMs, () => recorder.authorized(admission)),
  };
}
