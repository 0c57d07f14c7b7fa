import { copiedValues, copyRow } from '../copy-row.js';
import { type EntryRow, ROW_COLUMNS } from './entry-row.js';

/** An entry's place in its chain. */
export interface Place {
  readonly chain: string;
  readonly seq: number;
}

const FIRST_BYTES = 64 * 1024;
const LINE = Object.keys(ROW_COLUMNS).length;
const [AT, ID, CHAIN, SEQ, TIME] = (['at', 'id', 'chain', 'seq', 'time'] as const).map((name) =>
  Object.keys(ROW_COLUMNS).indexOf(name),
) as [number, number, number, number, number];

/** From the end of a line: its hash, a quote and a brace. */
const HASH_FROM_END = 66;

/**
 * Entries that are stored together, as the bytes that are sent: thousands of them are one buffer, and no objects that a
 * garbage collector would look at while they wait. Used again and again.
 */
export class RowBatch {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #end = 0;
  #count = 0;
  #characters = 0;
  #last: (Place & { readonly time: string }) | undefined;
  /** Runs of places: a chain, and from where to where. */
  #runs: { readonly chain: string; readonly first: number; last: number }[] = [];
  readonly #months = new Set<string>();
  readonly #chains = new Map<string, string | undefined>();

  get count(): number {
    return this.#count;
  }

  /** Of the lines, UTF-16 units. */
  get characters(): number {
    return this.#characters;
  }

  get last(): (Place & { readonly time: string }) | undefined {
    return this.#last;
  }

  /** `2026-11` */
  get months(): ReadonlySet<string> {
    return this.#months;
  }

  /** Its chains in order, each with the one before it, where that is said here. */
  get chains(): ReadonlyMap<string, string | undefined> {
    return this.#chains;
  }

  /** In the text format of COPY; until the next {@link clear}. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#end);
  }

  add({ values, chain, seq, at, time, predecessor, line }: EntryRow): void {
    this.#write(copyRow([...values, line]));
    this.#count++;
    this.#characters += line.length;
    const run = this.#runs.at(-1);
    if (run?.chain === chain && seq > run.last) run.last = seq;
    else this.#runs.push({ chain, first: seq, last: seq });
    if (at.slice(0, 7) !== this.#month) {
      this.#month = at.slice(0, 7);
      this.#months.add(this.#month);
    }
    if (predecessor !== undefined || !this.#chains.has(chain)) this.#chains.set(chain, predecessor);
    this.#last = { chain, seq, time };
  }
  #month = '';

  /** Whether an entry of this place is among them, or would be between them. */
  spans(place: Place): boolean {
    return this.#runs.some(
      ({ chain, first, last }) => chain === place.chain && first <= place.seq && place.seq <= last,
    );
  }

  /** Each for itself again: for what cannot be stored together. */
  rows(): EntryRow[] {
    const rows = Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.#end).toString('utf8').split('\n');
    rows.pop(); // behind the last line feed
    return rows.map((row) => {
      const values = copiedValues(row);
      const line = values[LINE]!;
      const chain = values[CHAIN]!;
      return {
        values: values.slice(0, LINE),
        at: values[AT]!,
        id: values[ID]!,
        chain,
        seq: Number(values[SEQ]),
        hash: line.slice(-HASH_FROM_END, -2),
        line,
        time: values[TIME]!,
        predecessor: this.#chains.get(chain),
      };
    });
  }

  clear(): void {
    this.#end = 0;
    this.#count = 0;
    this.#characters = 0;
    this.#last = undefined;
    this.#runs = [];
    this.#month = '';
    this.#months.clear();
    this.#chains.clear();
  }

  #write(row: string): void {
    const most = row.length * 3; // bytes of a UTF-16 unit in UTF-8
    if (this.#end + most > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#end + most));
      this.#buffer.copy(grown, 0, 0, this.#end);
      this.#buffer = grown;
    }
    this.#end += this.#buffer.write(row, this.#end, 'utf8');
  }
}
