import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../packages/server/dist/cli.js', import.meta.url));
if (!existsSync(cli)) throw new Error('@caracal/server is not built; run pnpm build');

/** What a line says; a test knows its shape. */
type Json = ReturnType<typeof JSON.parse>;

/** How a command is run. */
export interface RunOptions {
  readonly cwd?: string;
  /** Nothing else of this process's environment than what Node needs. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
}

/** What came of it. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** The lines of standard output as JSON. */
  objects(): readonly Json[];
  /** The lines of standard error as JSON. */
  errors(): readonly Json[];
}

/** The built command as a child process that runs on. */
export class RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<number | null>;
  out = '';
  err = '';

  constructor(args: readonly string[], { cwd, env = {} }: RunOptions) {
    this.child = spawn(process.execPath, [cli, ...args], {
      ...(cwd === undefined ? {} : { cwd }),
      env: { PATH: process.env.PATH, ...env },
    });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
    this.child.stdin.on('error', () => {}); // a command that reads nothing may have ended
    this.ended = new Promise((resolve) => this.child.once('close', (code) => resolve(code)));
  }

  /** Waits until standard output matches. @throws Error where it ends before */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.out);
      if (match !== null) return match;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`caracal ended without ${pattern}: ${this.out}${this.err}`);
      }
      await Promise.race([new Promise((resolve) => this.child.stdout.once('data', resolve)), this.ended]);
    }
  }

  /** Ends it, kindly unless another signal is given, and answers its exit status. */
  async stop(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return this.ended;
  }
}

/** Runs the built command to its end. */
export async function caracal(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const running = new RunningCommand(args, options);
  running.child.stdin.end(options.stdin ?? '');
  const code = await running.ended;
  const { out, err } = running;
  return { code, out, err, objects: () => jsonLines(out), errors: () => jsonLines(err) };
}

function jsonLines(text: string): readonly Json[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
