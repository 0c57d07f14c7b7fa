import { showsFraming } from './request-head.js';

/** A request's body under the adapter's control, whoever reads it. */
export interface RequestBody {
  readonly stream: ReadableStream<Uint8Array>;
  /**
   * Waits for the first of it: `false` where there is none at all. Some runtimes show a stream for every request that may
   * have a body.
   */
  begins(): Promise<boolean>;
  /** Reads nothing more of it. Whoever still reads it meets an error: an end would make half a body look like the whole. */
  release(): void;
}

/** Takes the body of a request over. `onBytes`, where given, may end it: `false` fails the stream. */
export function requestBody(
  source: ReadableStream<Uint8Array>,
  onBytes: (bytes: number) => boolean = () => true,
): RequestBody {
  const reader = source.getReader();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let over = false;
  let first: ReadableStreamReadResult<Uint8Array> | undefined;

  function release(): void {
    if (over) return;
    over = true;
    controller?.error(new Error('the body is not read any further'));
    // The caller may be gone, and then there is nothing left to cancel.
    void reader.cancel().catch(() => {});
  }

  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      async pull(given) {
        const { done, value } = first ?? (await reader.read());
        first = undefined;
        if (over) return;
        if (done) {
          over = true;
          given.close();
        } else if (onBytes(value.length)) given.enqueue(value);
        else release();
      },
      cancel: release,
    },
    { highWaterMark: 0 },
  );
  async function begins(): Promise<boolean> {
    let next = await reader.read();
    // Deno begins every body with nothing.
    while (!next.done && next.value.length === 0) next = await reader.read();
    first = next;
    return !next.done;
  }

  return { stream, begins, release };
}

/** The body of a request, where it has one; `onBytes` as in {@link requestBody}. */
export async function shownBody(
  request: Request,
  onBytes?: (bytes: number) => boolean,
): Promise<RequestBody | undefined> {
  if (request.body === null) return undefined;
  const body = requestBody(request.body, onBytes);
  if (showsFraming(request)) return body;
  // A caller that breaks off here is met again when the body is read.
  const begun = await body.begins().catch(() => true);
  return begun ? body : undefined;
}
