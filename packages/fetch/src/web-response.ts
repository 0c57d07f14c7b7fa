import type { Refusal } from '@caracal/core';

/** Statuses that a `Response` may not have a body with. @see https://fetch.spec.whatwg.org/#null-body-status */
export const NULL_BODY_STATUSES: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/** Headers from a flat name, value list, repeated ones kept. @throws TypeError for what no header can hold */
export function webHeaders(list: readonly string[]): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < list.length; index += 2) headers.append(list[index]!, list[index + 1]!);
  return headers;
}

/** A refusal as a response. */
export function refusalResponse({ status, headers, body }: Refusal, method: string): Response {
  const none = method === 'HEAD' || NULL_BODY_STATUSES.has(status);
  return new Response(none ? null : body, { status, headers: webHeaders(headers) });
}

/** A body that breaks off: what servers answer with a connection that is cut. */
export function brokenBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.error(new Error('the answer was broken off')) });
}
