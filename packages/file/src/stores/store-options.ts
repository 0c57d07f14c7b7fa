/** Told what an operator should know. `cause` is there where something failed. */
export type OnWarning = (message: string, cause?: unknown) => void;

/** One line on the console. */
export function tellConsole(message: string, cause?: unknown): void {
  const code = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.name) : undefined;
  console.warn(JSON.stringify({ level: 'warn', message, cause: code }));
}

/** Answers a text that is not empty. @throws TypeError naming the option */
export function textOption(factory: string, name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${factory}: ${name} is a text`);
  return value;
}
