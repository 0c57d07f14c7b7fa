import type { StartSubject, Subject, SubjectConfig } from '../subject.js';
import { RecordBook } from './record-book.js';

/** Starts a gateway in this very process. */
export async function localSubject(config: SubjectConfig, start: StartSubject): Promise<Subject> {
  const book = new RecordBook();
  const started = await start(config, (record) => book.add(record));
  return {
    port: started.port,
    records: (requestId) => book.of(requestId),
    allRecords: () => book.all,
    output: () => '',
    revoke: (anchor) => started.revoke(anchor),
    close: () => started.close(),
  };
}
