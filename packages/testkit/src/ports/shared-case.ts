/** What several processes share, as one case needs it. */
export interface SharedSubject<Port> {
  /** Another instance over the same data, as another process would have it. Closed with the subject. */
  open(): Promise<Port>;
  /** The wall clock of the instances, ms since the epoch. */
  now(): number;
  /** Longest time one call may take, ms. */
  readonly deadlineMs: number;
  /** Takes away what the data is kept in, and gives it back as it was. Given where that can happen. */
  readonly outage?: { begin(): Promise<void>; end(): Promise<void> };
  /** Frees what the case has used. Called once, whatever came of the case. */
  close(): Promise<void>;
}

/** Makes data that are fresh and empty. */
export type MakeShared<Port> = () => Promise<SharedSubject<Port>>;

/** What a case cannot do without, besides the instances. `outage`: the subject has it. */
export type SharedNeed = 'outage';

/** One requirement on every implementation that is shared between processes, as data for any test runner. */
export interface SharedCase<Port> {
  readonly name: string;
  readonly needs: readonly SharedNeed[];
  run(make: MakeShared<Port>): Promise<void>;
}

/** Makes a case of a body: the subject is made before it and closed after it. */
export function sharedCase<Port>(
  name: string,
  body: (subject: SharedSubject<Port>) => Promise<void>,
  needs: readonly SharedNeed[] = [],
): SharedCase<Port> {
  return {
    name,
    needs,
    run: async (make) => {
      const subject = await make();
      try {
        await body(subject);
      } finally {
        await subject.close();
      }
    },
  };
}

const PATIENCE_MS = 20_000;

/** Resolves when it is so; rejects, with what it was about, where it does not become so within 20 s. */
export async function eventually(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > until) throw new Error(`it never came to be: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Rejects where a call does neither answer nor fail within a good multiple of the time it may take. */
export async function settledInTime(deadlineMs: number, call: () => unknown): Promise<PromiseSettledResult<unknown>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    // Machines that run tests are slow; what is looked for here waits for ever.
    timer = setTimeout(() => reject(new Error('the call hangs')), 10 * deadlineMs + 1_000);
  });
  try {
    const [result] = await Promise.race([Promise.allSettled([(async () => call())()]), late]);
    return result!;
  } finally {
    clearTimeout(timer);
  }
}
