import { type Clock, refuseUnknownOptions, systemClock, wholeNumber } from '@caracal/core';
import type { PostgresPool } from '../pool.js';
import { emitWarning, type OnPostgresWarning } from '../warning.js';

/** Options of `postgresAuditShipper`. */
export interface PostgresAuditShipperOptions {
  /** A pool whose role has the shipper's grants. */
  readonly pool: PostgresPool;
  /** Names the journal (its directory), the same at every start: how far it was shipped is remembered under it. */
  readonly journal: string;
  /** Entries of one transaction. Default 4,000. */
  readonly batchEntries?: number;
  /** Characters of one transaction's lines. Default 4 Mi. */
  readonly batchCharacters?: number;
  /** How long records gather before they are read, ms. Default 300. */
  readonly gatherMs?: number;
  /**
   * Storing takes at most this share of the time, percent from 1 to 100, and rests after each batch for the remainder; a tenth
   * of it where the event loop is never idle, because requests come first and what waits is safe in the journal. What is older
   * than 10 s rests less, what is older than a minute not at all. 100: never. Default 40.
   */
  readonly sharePercent?: number;
  /** Deadline of one statement and of one transaction, ms. Default 10,000. */
  readonly timeoutMs?: number;
  /** Longest pause between tries while PostgreSQL is away, ms. Default 5,000. */
  readonly maxRetryMs?: number;
  /** Default: `process.emitWarning`. */
  readonly onWarning?: OnPostgresWarning;
  readonly clock?: Clock;
}

/** Defaults of {@link PostgresAuditShipperOptions}. */
export const AUDIT_SHIPPER_DEFAULTS = Object.freeze({
  batchEntries: 4000,
  batchCharacters: 4 * 1024 * 1024,
  gatherMs: 300,
  sharePercent: 40,
  timeoutMs: 10_000,
  maxRetryMs: 5000,
});

export type ShipperSettings = Required<PostgresAuditShipperOptions>;

const FACTORY = 'postgresAuditShipper';

/** @throws TypeError naming the option that is not in order. */
export function shipperSettings(options: PostgresAuditShipperOptions): ShipperSettings {
  const known = ['pool', 'journal', ...Object.keys(AUDIT_SHIPPER_DEFAULTS), 'onWarning', 'clock'];
  refuseUnknownOptions(FACTORY, options, known);
  const settings = {
    ...AUDIT_SHIPPER_DEFAULTS,
    onWarning: emitWarning,
    clock: systemClock,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  } as ShipperSettings;
  if (typeof settings.pool?.connect !== 'function') throw new TypeError(`${FACTORY}: pool is a pool of pg`);
  if (typeof settings.journal !== 'string' || settings.journal === '' || /\0/.test(settings.journal)) {
    throw new TypeError(`${FACTORY}: journal is a text`);
  }
  for (const name of Object.keys(AUDIT_SHIPPER_DEFAULTS) as (keyof typeof AUDIT_SHIPPER_DEFAULTS)[]) {
    wholeNumber(FACTORY, name, settings[name]);
  }
  if (settings.sharePercent > 100) throw new TypeError(`${FACTORY}: sharePercent is at most 100`);
  return Object.freeze(settings);
}
