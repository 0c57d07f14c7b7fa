// The package brings no types; this is as much of it as the tests use.
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export type ClientMetadata = Readonly<Record<string, unknown>>;
  export interface KoaContextWithOIDC {
    readonly req: IncomingMessage;
    readonly path: string;
    readonly status: number;
    readonly body?: unknown;
    readonly oidc?: { readonly params?: Readonly<Record<string, unknown>> };
  }
  export default class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    use(middleware: (context: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>): void;
  }
}
