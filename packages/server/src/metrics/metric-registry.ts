/** Content type of the text. @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Something that writes its lines. */
interface Family {
  readonly name: string;
  write(lines: string[]): void;
  /** What was counted since it was taken last, by labels; `undefined` where nothing is counted. */
  take?(): Record<string, number | HistogramCounts>;
  add?(labels: string, counts: number | HistogramCounts): void;
}

/** What a series of a histogram has counted. */
interface HistogramCounts {
  readonly buckets: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** What a process has counted since it told last: family, labels, counts. Plain data. */
export type TakenMetrics = Readonly<Record<string, Readonly<Record<string, number | HistogramCounts>>>>;

/** Labels of one series, in the order of their names. */
export type LabelValues = readonly string[];

/** Series of one family that are kept apart; what comes later is counted in one series of `_other` labels. */
export const MAX_SERIES = 4_000;

/** A family of counters. */
export interface Counter {
  /** The series of these labels; keep it where the same labels come again. */
  series(labels: LabelValues): { value: number };
}

/** A family of histograms. */
export interface Histogram {
  series(labels: LabelValues): HistogramSeries;
}

/** One series of a histogram. */
export class HistogramSeries {
  readonly buckets: number[];
  readonly #bounds: readonly number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.buckets = new Array<number>(bounds.length).fill(0);
  }

  /** What it has counted, which begins at nothing again. */
  take(): HistogramCounts {
    const { sum, count } = this;
    const buckets = [...this.buckets];
    this.buckets.fill(0);
    this.sum = 0;
    this.count = 0;
    return { buckets, sum, count };
  }

  add({ buckets, sum, count }: HistogramCounts): void {
    for (const [index, value] of buckets.entries()) this.buckets[index]! += value;
    this.sum += sum;
    this.count += count;
  }

  observe(value: number): void {
    this.sum += value;
    this.count += 1;
    const bounds = this.#bounds;
    for (let index = 0; index < bounds.length; index++) {
      if (value <= bounds[index]!) {
        this.buckets[index]! += 1;
        return;
      }
    }
  }
}

/** Metrics of this process, in the text format of Prometheus. */
export class MetricRegistry {
  readonly #families: Family[] = [];

  counter(name: string, help: string, labelNames: readonly string[]): Counter {
    const families = new SeriesFamily<{ value: number }>(labelNames, () => ({ value: 0 }));
    this.#families.push({
      name,
      write(lines) {
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`);
        for (const [labels, { value }] of families.all()) lines.push(`${name}${braces(labels)} ${value}`);
      },
      take() {
        const taken: Record<string, number> = {};
        for (const [labels, series] of families.all()) {
          if (series.value === 0) continue;
          taken[labels] = series.value;
          series.value = 0;
        }
        return taken;
      },
      add(labels, counts) {
        if (typeof counts === 'number') families.named(labels).value += counts;
      },
    });
    return families;
  }

  histogram(name: string, help: string, labelNames: readonly string[], bounds: readonly number[]): Histogram {
    const families = new SeriesFamily(labelNames, () => new HistogramSeries(bounds));
    this.#families.push({
      name,
      take() {
        const taken: Record<string, HistogramCounts> = {};
        for (const [labels, series] of families.all()) if (series.count > 0) taken[labels] = series.take();
        return taken;
      },
      add(labels, counts) {
        if (typeof counts === 'object') families.named(labels).add(counts);
      },
      write(lines) {
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} histogram`);
        for (const [labels, { buckets, sum, count }] of families.all()) {
          let below = 0;
          for (const [index, bound] of bounds.entries()) {
            below += buckets[index]!;
            lines.push(`${name}_bucket${braces(`${labels === '' ? '' : `${labels},`}le="${bound}"`)} ${below}`);
          }
          lines.push(`${name}_bucket${braces(`${labels === '' ? '' : `${labels},`}le="+Inf"`)} ${count}`);
          lines.push(`${name}_sum${braces(labels)} ${sum}`, `${name}_count${braces(labels)} ${count}`);
        }
      },
    });
    return families;
  }

  /** A value that is asked for when the metrics are. */
  gauge(name: string, help: string, read: () => number): void {
    this.#families.push({
      name,
      write: (lines) => lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${read()}`),
    });
  }

  /** A constant, with labels that say what is running. */
  info(name: string, help: string, labels: Readonly<Record<string, string>>): void {
    const text = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
    this.#families.push({
      name,
      write: (lines) => lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name}${braces(text.join())} 1`),
    });
  }

  /** What was counted since the last call, which begins at nothing again: for a process that another one speaks for. */
  take(): TakenMetrics {
    const taken: Record<string, Record<string, number | HistogramCounts>> = {};
    for (const { name, take } of this.#families) if (take !== undefined) taken[name] = take();
    return taken;
  }

  /** Adds what another process has counted. */
  add(taken: TakenMetrics): void {
    for (const { name, add } of this.#families) {
      for (const [labels, counts] of Object.entries(taken[name] ?? {})) add?.(labels, counts);
    }
  }

  text(): string {
    const lines: string[] = [];
    for (const family of this.#families) family.write(lines);
    return `${lines.join('\n')}\n`;
  }
}

class SeriesFamily<S> {
  readonly #names: readonly string[];
  readonly #make: () => S;
  readonly #series = new Map<string, S>();

  constructor(names: readonly string[], make: () => S) {
    this.#names = names;
    this.#make = make;
  }

  series(values: LabelValues): S {
    return this.named(this.#text(values));
  }

  /** The series of labels as they are written. */
  named(labels: string): S {
    const known = this.#series.get(labels);
    if (known !== undefined) return known;
    if (this.#series.size >= MAX_SERIES) {
      const other = this.#text(this.#names.map(() => '_other'));
      return this.#series.get(other) ?? this.#add(other);
    }
    return this.#add(labels);
  }

  all(): Iterable<[string, S]> {
    return this.#series;
  }

  #add(labels: string): S {
    const series = this.#make();
    this.#series.set(labels, series);
    return series;
  }

  #text(values: LabelValues): string {
    return this.#names.map((name, index) => `${name}="${escaped(values[index] ?? '')}"`).join();
  }
}

function braces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
