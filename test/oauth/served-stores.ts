import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ConnectionStore, TokenCache } from '@caracal/core';

/** Stores that one process keeps and others use. */
export interface Stores {
  readonly tokenCache: TokenCache;
  readonly connections: ConnectionStore;
}

/** A call of a method of one of them. */
export interface StoreCall {
  readonly id: number;
  readonly store: keyof Stores;
  readonly method: string;
  readonly parameters: readonly unknown[];
}

/** A gateway in a process of its own. */
export interface GatewayProcess {
  /** The tokens (or refusals) of so many parallel requests for this subject. */
  ask(count: number, subject?: string): Promise<string[]>;
  kill(): void;
  readonly ended: Promise<void>;
}

const RUN_TYPESCRIPT = fileURLToPath(new URL('../chaos/run-typescript.mjs', import.meta.url));
const CHILD = fileURLToPath(new URL('gateway-child.ts', import.meta.url));

/**
 * Starts a gateway that works with these stores over IPC. `onCall` sees each call before it is made, and may never answer.
 */
export async function startGatewayProcess(
  config: object,
  stores: Stores,
  onCall: (call: StoreCall, child: ChildProcess) => Promise<void> | void = () => {},
): Promise<GatewayProcess> {
  const child = spawn(process.execPath, [RUN_TYPESCRIPT, CHILD, JSON.stringify(config)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const answers = new Map<number, (tokens: string[]) => void>();
  let asked = 0;
  const ready = new Promise<void>((resolve, reject) => {
    void ended.then(() => reject(new Error('the gateway ended before it was ready')));
    child.on(
      'message',
      (message: StoreCall | { readonly ready: true } | { readonly answer: number; readonly tokens: string[] }) => {
        if ('ready' in message) resolve();
        else if ('answer' in message) answers.get(message.answer)?.(message.tokens);
        else void answerCall(message, stores, child, onCall);
      },
    );
  });
  await ready;
  return {
    ask: (count, subject = 'alice') =>
      new Promise((resolve, reject) => {
        const id = ++asked;
        answers.set(id, resolve);
        void ended.then(() => reject(new Error('the gateway has ended')));
        child.send({ ask: id, count, subject });
      }),
    kill: () => child.kill('SIGKILL'),
    ended,
  };
}

async function answerCall(
  call: StoreCall,
  stores: Stores,
  child: ChildProcess,
  onCall: (call: StoreCall, child: ChildProcess) => Promise<void> | void,
): Promise<void> {
  await onCall(call, child);
  if (!child.connected) return;
  const store = stores[call.store] as unknown as Record<string, (...of: readonly unknown[]) => unknown>;
  try {
    child.send({ id: call.id, value: (await store[call.method]!(...call.parameters)) ?? null });
  } catch {
    if (child.connected) child.send({ id: call.id, failed: true });
  }
}
