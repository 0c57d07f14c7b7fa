import type { BodyFault } from './read-body.js';

/** One request, as any runtime can tell it. */
export interface Received {
  readonly method: string;
  /** Path of its target. */
  readonly path: string;
  /** Whether the target has a query that is not empty. */
  readonly hasQuery: boolean;
  /** Value of a header, its name in lower case; of one that came several times, all of them joined by `, `. */
  header(name: string): string | null;
  /** Its body as strict UTF-8, within limits. Never rejects. */
  readBody(): Promise<string | BodyFault>;
}

/** What is answered, before a runtime has made it its own. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `null`: none. */
  readonly body: string | null;
}
