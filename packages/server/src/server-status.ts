import type { ReloadResult } from './reload/reload-result.js';

/** The name of a listener. */
export type ListenerName = 'gateway' | 'tokenService' | 'admin';

/** A listener that accepts. */
export interface RunningListener {
  readonly name: ListenerName;
  /** Where clients on this machine reach it: `http://127.0.0.1:8081`; `http+unix:/path` for a socket. */
  readonly url: string;
}

/** What a server says of itself. */
export interface ServerStatus {
  /** Of the program. */
  readonly version: string;
  readonly gatewayId: string;
  readonly zone: string;
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  readonly draining: boolean;
  readonly liveExchanges: number;
  /** Former versions of the configuration that still have requests under way. */
  readonly retiringConfigurations: number;
  readonly configuration: {
    readonly version: string;
    readonly file: string | undefined;
    readonly loadedAt: string;
  };
  readonly lastReload: ({ readonly at: string } & ReloadResult) | null;
  readonly listeners: readonly RunningListener[];
  /** Processes that serve the gateway's listener; without where this one does. */
  readonly workers?: number;
  /** The resource directory, as the process with the admin endpoint knows it; without where none is configured. */
  readonly resourceDirectory?: {
    /** In force. */
    readonly resources: number;
    readonly refused: readonly {
      readonly zone: string;
      readonly identifier: string;
      readonly reason: string;
      /** Its last good definition is in force. */
      readonly keptLastGood: boolean;
    }[];
    /** Why the last reading failed. */
    readonly fault: string | null;
  };
}
