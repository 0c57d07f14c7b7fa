/** What went wrong, with how to mend it; further members are told with `--json`. */
export type Fault = string | { readonly message: string; readonly [member: string]: unknown };

/** Something a command could not do; a fault is a line. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** 1: failed. 2: wrong use or configuration. */
  readonly exitCode: 1 | 2;
  readonly faults: readonly Fault[];

  constructor(exitCode: 1 | 2, faults: readonly Fault[], options?: ErrorOptions) {
    super(faults.map(messageOf).join('\n'), options);
    this.exitCode = exitCode;
    this.faults = faults;
  }
}

/** The command was used wrongly, or its configuration is wrong: exit status 2. */
export function wrongUse(...faults: readonly Fault[]): CommandError {
  return new CommandError(2, faults);
}

/** The command was used well and could not do it: exit status 1. */
export function failed(...faults: readonly Fault[]): CommandError {
  return new CommandError(1, faults);
}

/** A fault as text. */
export function messageOf(fault: Fault): string {
  return typeof fault === 'string' ? fault : fault.message;
}
