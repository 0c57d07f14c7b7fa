import type { Configuration } from '../configuration/configuration.js';

/** Where evidence is read. */
export type EvidencePlace = 'journal' | 'postgres';

/**
 * Where it is read unless something else is asked for: in PostgreSQL where this gateway ships it there, for that has every gateway's;
 * else in the journal. The admin endpoint and `caracal audit` choose alike.
 */
export function evidencePlace({ stores }: Pick<Configuration, 'stores'>): EvidencePlace {
  return stores.postgres?.audit === true ? 'postgres' : 'journal';
}
