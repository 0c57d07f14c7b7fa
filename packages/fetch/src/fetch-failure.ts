import type { TransportFailure, TransportFailureKind } from '@caracal/core';

/** What runtimes call a connection that could not be had. Everything else may have been carried out by the upstream. */
const UNREACHABLE =
  /ECONNREFUSED|ConnectionRefused|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|FailedToOpenSocket|Connection refused|dns error|CERT_|SELF_SIGNED|certificate/i;
const TIMEOUT = /CONNECT_TIMEOUT|ETIMEDOUT/i;
const INVALID = /HPE_|Malformed|invalid HTTP|HeadersOverflow|RES_CONTENT_LENGTH/i;

/** What an error of `fetch` means. They have no names in common: code, cause and text are what there is. */
export function failureOf(cause: unknown): TransportFailure {
  return { kind: kindOf(textOf(cause)), cause };
}

function kindOf(text: string): TransportFailureKind {
  if (UNREACHABLE.test(text)) return 'unreachable';
  if (TIMEOUT.test(text)) return 'timeout';
  return INVALID.test(text) ? 'invalid' : 'closed';
}

function textOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 3) return '';
  const { code } = error as { readonly code?: unknown };
  return `${String(code)} ${error.message} ${textOf(error.cause, depth + 1)}`;
}
