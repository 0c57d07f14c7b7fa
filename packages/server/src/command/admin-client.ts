import type { Configuration } from '../configuration/configuration.js';
import { failed } from '../frame/command-error.js';
import { readReference, SecretUnavailableError } from '../secrets/read-reference.js';
import { type LocalAnswer, localRequest } from './local-request.js';

/** What the admin endpoint answered, its JSON parsed. */
export interface AdminAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Asks the admin endpoint of a running gateway. */
export interface AdminClient {
  /** Whether a gateway answers there. */
  isUp(): Promise<boolean>;
  /** A JSON answer. @throws NotListeningError; CommandError where it refuses the token or fails */
  ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<AdminAnswer>;
  /** The objects of an NDJSON answer. @throws as `ask` */
  lines(path: string): Promise<readonly unknown[]>;
}

/** The client of the admin endpoint that the configuration names; `undefined` where it names none. */
export function adminClient({ admin }: Configuration, env: NodeJS.ProcessEnv): AdminClient | undefined {
  if (admin === undefined) return undefined;
  const send = async (method: string, path: string, body?: unknown): Promise<LocalAnswer> => {
    const token = await readReference(admin.token, env).catch(tokenFault);
    const answer = await localRequest(admin, {
      method,
      path,
      headers: { Authorization: `Bearer ${token.reveal()}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status === 401 || answer.status === 403) {
      throw failed(
        'the admin endpoint refuses the token; admin.token here is not the one the gateway was started with',
      );
    }
    return answer;
  };
  return {
    isUp: () => localRequest(admin, { method: 'GET', path: '/livez' }).then(isOk, () => false),
    ask: async (method, path, body) => {
      const { status, text } = await send(method, path, body);
      return { status, body: json(text) };
    },
    lines: async (path) => {
      const { status, text } = await send('GET', path);
      if (status !== 200) throw failed(adminFault({ status, body: json(text) }));
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map(json);
    },
  };
}

function tokenFault(cause: unknown): never {
  throw cause instanceof SecretUnavailableError ? failed(`admin.token ${cause.message}`) : cause;
}

/** What an admin answer that is no success says of itself. */
export function adminFault({ status, body }: AdminAnswer): string {
  const { error, error_description: description } = (body ?? {}) as Record<string, unknown>;
  const said = [error, description].filter((part) => typeof part === 'string').join(': ');
  return `the admin endpoint answered ${status}${said === '' ? '' : ` ${said}`}`;
}

function isOk({ status }: LocalAnswer): boolean {
  return status === 200;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // an answer of something else that listens there: its status says enough
  }
}
