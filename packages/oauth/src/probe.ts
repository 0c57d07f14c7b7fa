import { faultOf } from './oauth-fault.js';

/** What a real request to a provider's token endpoint came to. */
export type Probe =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** Fixed text, as in records. */
      readonly reason: string;
      /** For an operator's terminal: what the server said or lacks, without secrets. */
      readonly explanation: string | undefined;
    };

/** A provider whose token endpoint can be asked, for `caracal check`. */
export interface Probeable {
  /** Asks for real, past every cache. Never rejects. */
  probe(zoneId: string): Promise<Probe>;
}

/** The result of an attempt. */
export async function probed(attempt: () => Promise<unknown>): Promise<Probe> {
  try {
    await attempt();
    return { ok: true };
  } catch (cause) {
    const { reason, explanation } = faultOf(cause, 'token_failed');
    return { ok: false, reason, explanation };
  }
}
