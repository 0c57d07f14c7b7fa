import type { LoadedConfiguration } from '../configuration/load-configuration.js';
import type { ConfigurationProblem } from '../configuration/problem.js';
import type { ToldKeys } from './worker-issuer.js';

/** What the environment of a worker says, beside what the cluster module says. */
export const WORKER_VARIABLE = 'CARACAL_WORKER';

/** Of the socket in a worker that its records go through: behind those every process has, and that of the cluster module. */
export const RECORDS_FD = 4;

/** What a worker is told when it asks to begin. Its revocations were told before. */
export interface Beginning {
  readonly loaded: LoadedConfiguration;
  /** Of the gateway's listener. */
  readonly port: number | undefined;
  /** Of the last revocation that was told; `undefined` where the worker reads them by itself. */
  readonly revocations: number | undefined;
  readonly tokenIssuer: string | undefined;
  readonly keys: ToldKeys | undefined;
}

/** Why a worker could not begin. */
export interface WorkerFault {
  /** Of a listener that could not be made. */
  readonly listen?: string;
  readonly message: string;
}

/** What came of preparing another configuration. */
export interface Prepared {
  readonly problems: readonly ConfigurationProblem[];
}
