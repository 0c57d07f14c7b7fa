import type { OutboundAnswer } from '@caracal/core';
import { OAuthFault } from '../oauth-fault.js';
import { headerOf } from './bounded-fetch.js';

/** Longest life that is believed, s: nothing is kept longer without asking again. */
const MAX_EXPIRES_IN_SECONDS = 365 * 24 * 60 * 60;
const MAX_RETRY_AFTER_MS = 60_000;
const MAX_EXPLANATION = 300;
/** Shortest value of a member that is taken for a secret, characters. */
const MIN_SECRET = 6;

/** Codes of RFC 6749 section 5.2, RFC 8707 section 2, RFC 7523 and what servers add; any other is `refused`. */
const KNOWN_ERRORS = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'access_denied',
  'interaction_required',
  'consent_required',
  'temporarily_unavailable',
  'server_error',
]);
/** What vendors say instead of `invalid_grant`. Slack and GitHub answer these with status 200. */
const INVALID_GRANT_ALIASES = new Set([
  'invalid_refresh_token',
  'bad_refresh_token',
  'token_revoked',
  'invalid_code',
  'bad_verification_code',
  'code_already_used',
  'token_expired',
]);
const INVALID_CLIENT_ALIASES = new Set(['incorrect_client_credentials', 'bad_client_secret', 'invalid_client_id']);

/** How an answer of this server differs from the RFC's. */
export interface AnswerQuirks {
  /** The member that holds the tokens, where it is not the document itself. */
  readonly member: string | undefined;
  /** Keep `id_token`: it will be checked. */
  readonly keepIdToken: boolean;
  /** Whose answer it is, for an explanation: an address without a query. */
  readonly endpoint?: string;
  /** Texts that must not stand in an explanation. */
  readonly secrets: readonly string[];
}

/**
 * What a token endpoint answered, in the form of RFC 6749 section 5.1 whatever form it came in: JSON by content and not by its
 * label, errors as faults although their status is 200, `expires_in` a whole number of seconds or absent.
 *
 * @throws OAuthFault `token_endpoint_<error>`, `token_answer_<why>`
 */
export function conformAnswer(answer: OutboundAnswer, quirks: AnswerQuirks): Response {
  const document = jsonObject(answer.body);
  const { status } = answer;
  // Slack puts a person's tokens one level down when they connect, and at the top when they are refreshed.
  const tokens = (quirks.member === undefined ? undefined : memberOf(document, quirks.member)) ?? document;
  const error = document?.error;
  const isRefusal = status >= 300 || (typeof tokens?.access_token !== 'string' && typeof error === 'string');
  if (isRefusal) throw saidBy(quirks, refusalOf(answer, document, quirks.secrets.flatMap(formsOf)));
  if (document === undefined) {
    const explanation = `status ${status}, and no JSON object`;
    throw saidBy(quirks, new OAuthFault('token_answer_not_json', { explanation }));
  }
  if (tokens === undefined)
    throw new OAuthFault('token_answer_incomplete', { explanation: 'the member with the tokens is missing' });
  const conform: Record<string, unknown> = {};
  for (const name of ['access_token', 'token_type', 'refresh_token', 'scope', 'issued_token_type']) {
    const value = tokens[name];
    if (value !== undefined && value !== null) conform[name] = value;
  }
  const lifetime = lifetimeSeconds(tokens.expires_in);
  if (lifetime !== undefined) conform.expires_in = lifetime;
  if (quirks.keepIdToken && document.id_token !== undefined) conform.id_token = document.id_token;
  return new Response(JSON.stringify(conform), { status: 200, headers: { 'Content-Type': 'application/json' } });
}

/** The fault, with whose answer it was. */
function saidBy({ endpoint }: AnswerQuirks, { reason, explanation = '', retryAfterMs }: OAuthFault): OAuthFault {
  return new OAuthFault(reason, {
    explanation: endpoint === undefined ? explanation : `${endpoint}: ${explanation}`,
    retryAfterMs,
  });
}

/** A secret as it may have been sent: a server may quote the form. */
function formsOf(secret: string): readonly string[] {
  const forms = [secret, encodeURIComponent(secret), new URLSearchParams([['', secret]]).toString().slice(1)];
  return forms.filter((form) => form !== '');
}

/**
 * A lifetime in whole seconds, whatever it came as: a number, or a text of one. `undefined` for what says nothing: absent, null,
 * not finite, zero or less, an object.
 */
export function lifetimeSeconds(value: unknown): number | undefined {
  const seconds =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && /^\s*\d{1,15}(\.\d{1,9})?\s*$/.test(value)
        ? Number(value)
        : Number.NaN;
  if (!(seconds >= 1)) return undefined;
  return Math.min(Math.floor(seconds), MAX_EXPIRES_IN_SECONDS);
}

/** The body as a JSON object, or `undefined`. */
export function jsonObject(body: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? ownMembers(value) : undefined;
  } catch {
    return undefined; // the caller says what is missing
  }
}

// Without a prototype, so that no member is found that the document does not have.
function ownMembers(value: object): Record<string, unknown> {
  return Object.assign(Object.create(null), value) as Record<string, unknown>;
}

function memberOf(document: Record<string, unknown> | undefined, name: string): Record<string, unknown> | undefined {
  const value = document?.[name];
  return typeof value === 'object' && value !== null ? ownMembers(value) : undefined;
}

function refusalOf(
  answer: OutboundAnswer,
  document: Record<string, unknown> | undefined,
  secrets: readonly string[],
): OAuthFault {
  const { status } = answer;
  const said = typeof document?.error === 'string' ? (document.error as string) : undefined;
  const error = knownError(said);
  const description = document?.error_description ?? document?.message;
  const explanation = [`status ${status}`, said, typeof description === 'string' ? description : undefined]
    .filter((part) => part !== undefined)
    .join(': ');
  return new OAuthFault(`token_endpoint_${error ?? statusReason(status)}`, {
    explanation: printable(explanation, [...secrets, ...tokensIn(document)]),
    retryAfterMs: retryAfterMs(answer),
  });
}

/** What a careless server sends along with an error, and may say again in its text. */
function tokensIn(document: Record<string, unknown> | undefined): readonly string[] {
  return Object.entries(document ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' &&
    value.length >= MIN_SECRET &&
    /token|secret|code|assertion|key/i.test(name) &&
    !/error/i.test(name)
      ? [value]
      : [],
  );
}

function knownError(said: string | undefined): string | undefined {
  if (said === undefined) return undefined;
  if (INVALID_GRANT_ALIASES.has(said)) return 'invalid_grant';
  if (INVALID_CLIENT_ALIASES.has(said)) return 'invalid_client';
  return KNOWN_ERRORS.has(said) ? said : undefined;
}

function statusReason(status: number): string {
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'server_error';
  if (status === 401) return 'invalid_client';
  if (status === 404) return 'not_found';
  return status >= 300 && status < 400 ? 'redirects' : 'refused';
}

function retryAfterMs(answer: OutboundAnswer): number | undefined {
  const text = headerOf(answer, 'retry-after');
  if (text === undefined || !/^\d{1,6}$/.test(text)) return undefined;
  return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
}

/** Text of another server for an operator's terminal: short, printable ASCII, without what we sent. */
export function printable(text: string, secrets: readonly string[]): string {
  let shown = text;
  for (const secret of secrets) if (secret !== '') shown = shown.replaceAll(secret, '[secret]');
  // What could be a token or key is not shown, whoever it belongs to: long, or half as long and with digits among its letters.
  return shown
    .replace(/[A-Za-z0-9_\-+/=.~]{16,}/g, (run) =>
      run.length >= 40 || (/\d/.test(run) && /[A-Za-z]/.test(run)) ? '[...]' : run,
    )
    .replace(/[^\x20-\x7e]/g, ' ')
    .slice(0, MAX_EXPLANATION);
}
