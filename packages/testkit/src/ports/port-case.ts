/** One implementation of a port, made for one case. */
export interface PortSubject<Port> {
  readonly store: Port;
  /** The store's wall clock, ms since the epoch. */
  now(): number;
  /** Frees what the case has used. Called once, whatever came of the case. */
  close(): Promise<void>;
  /** Moves the store's clocks, wall and monotonic, forward. Given where the clock can be injected. */
  advance?(ms: number): Promise<void>;
}

/** What a case would like its subject to be like. */
export interface PortWishes {
  /** Take so many entries and no more. */
  readonly capacity?: number;
}

/** Makes a fresh, empty implementation. */
export type MakePort<Port> = (wishes?: PortWishes) => Promise<PortSubject<Port>>;

/**
 * What a case cannot do without, besides the port itself. `clock`: the subject has `advance`. `capacity`: the wish for a capacity
 * is heard. A runner skips, with that reason, what its implementation cannot give.
 */
export type PortNeed = 'clock' | 'capacity';

/**
 * One requirement on every implementation of a port, as data for any test runner: call `run`; it rejects with an
 * AssertionError where the requirement is not met.
 */
export interface PortCase<Port> {
  readonly name: string;
  readonly needs: readonly PortNeed[];
  run(make: MakePort<Port>): Promise<void>;
}

/** What a case's body works with. */
export interface PortTrial<Port> {
  readonly store: Port;
  /** The store's wall clock, whole seconds since the epoch. */
  nowSeconds(): number;
  /** Rejects where the implementation cannot: such a case has the need `clock`. */
  advance(ms: number): Promise<void>;
}

/** Capacity that cases with the need `capacity` wish for. */
export const WISHED_CAPACITY = 3;

/** Makes a case of a body: the subject is made before it and closed after it. */
export function portCase<Port>(
  name: string,
  body: (trial: PortTrial<Port>) => Promise<void>,
  needs: readonly PortNeed[] = [],
): PortCase<Port> {
  return {
    name,
    needs,
    run: async (make) => {
      const subject = await make(needs.includes('capacity') ? { capacity: WISHED_CAPACITY } : undefined);
      try {
        const advance = async (ms: number): Promise<void> => {
          if (subject.advance === undefined) throw new TypeError(`The case "${name}" needs a subject with advance()`);
          await subject.advance(ms);
        };
        await body({ store: subject.store, nowSeconds: () => Math.floor(subject.now() / 1000), advance });
      } finally {
        await subject.close();
      }
    },
  };
}
