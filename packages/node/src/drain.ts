import type { Server } from 'node:http';
import { DEFAULT_DRAIN_TIMEOUT_MS, type Gateway } from '@caracal/core';
import type { Connections } from './connections.js';
import { requirePositive } from './options.js';

/** @throws TypeError where `timeoutMs` is not a whole number above 0 */
export type Drain = (options?: { readonly timeoutMs?: number }) => Promise<void>;

/** For last answers to be written out once every exchange has ended, ms. */
const FLUSH_TIMEOUT_MS = 500;

/** @throws TypeError where `timeoutMs` is not a whole number above 0 */
export type Retire = (options: { readonly timeoutMs: number }) => Promise<void>;

/** Makes the `retire` of an attachment. */
export function retireOnce({ server, connections }: Pick<Draining, 'server' | 'connections'>): Retire {
  let retired: Promise<void> | undefined;
  return ({ timeoutMs }) => {
    requirePositive('timeoutMs', timeoutMs);
    retired ??= retire(server, connections, timeoutMs);
    return retired;
  };
}

async function retire(server: Server, connections: Connections, timeoutMs: number): Promise<void> {
  if (connections.draining) return;
  connections.patient = true;
  connections.draining = true;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

interface Draining {
  readonly server: Server;
  readonly gateway: Gateway;
  readonly connections: Connections;
  closeTransport(): Promise<void>;
}

/** Makes the `drain` of an attachment. */
export function drainOnce(parts: Draining): Drain {
  let drained: Promise<void> | undefined;
  return ({ timeoutMs = DEFAULT_DRAIN_TIMEOUT_MS } = {}) => {
    requirePositive('timeoutMs', timeoutMs);
    drained ??= drain(parts, timeoutMs);
    return drained;
  };
}

async function drain({ server, gateway, connections, closeTransport }: Draining, timeoutMs: number): Promise<void> {
  connections.draining = true;
  connections.patient = false;
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  connections.closeIdle();
  await gateway.close({ drainTimeoutMs: timeoutMs });
  const timer = setTimeout(() => connections.destroyAll(), FLUSH_TIMEOUT_MS);
  await closed;
  clearTimeout(timer);
  await closeTransport();
}
