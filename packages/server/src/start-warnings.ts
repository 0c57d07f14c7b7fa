import type { Configuration } from './configuration/configuration.js';
import { isLocal, parseListen } from './configuration/listen.js';
import type { Log } from './log/log.js';

/** Logs what a configuration leaves open that its owner should know. */
export function warnAtStart(configuration: Configuration, log: Log): void {
  if (configuration.sealing === undefined) {
    const message =
      'the sealing key lies in the state directory, beside what it seals: give sealing.keys, kept elsewhere';
    log({ level: 'warn', event: 'sealing_key_beside', message });
  }
  for (const name of ['gateway', 'tokenService'] as const) {
    const listener = configuration[name];
    if (listener === undefined || listener.tls !== undefined || isLocal(parseListen(listener.listen)!)) continue;
    const message =
      'serves plain text beyond loopback: mandates and secrets can be read on the way; give tls, or put a proxy with TLS in front';
    log({ level: 'warn', event: 'plain_text', listener: name, message });
  }
}
