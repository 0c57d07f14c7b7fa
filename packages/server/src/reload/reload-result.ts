import type { ConfigurationProblem } from '../configuration/problem.js';

/** What came of a reload. */
export type ReloadResult =
  | {
      readonly ok: true;
      /** Of the configuration in force now. */
      readonly version: string;
      /** Members that differ in the file and stay as they were, because only a restart changes them. */
      readonly unchanged: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly ConfigurationProblem[] };
