import { jsonLine } from '@caracal/core';

/** Content type of one JSON object a line. */
const NDJSON = 'application/x-ndjson';
/** Silence after which an empty line shows that the stream still lives, ms. */
export const HEARTBEAT_MS = 15_000;

/**
 * A body of one JSON object a line, made as it is read: whoever reads slowly holds nothing up, and whoever goes away ends
 * the reading. `heartbeat`: an empty line in a long silence.
 */
export function ndjsonResponse(
  values: AsyncIterable<unknown>,
  { heartbeat = false, stop }: { readonly heartbeat?: boolean; readonly stop?: () => void } = {},
): Response {
  const encoder = new TextEncoder();
  const iterator = values[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<unknown>> | undefined;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      next ??= iterator.next();
      const step = heartbeat ? await within(next, HEARTBEAT_MS) : await next;
      if (step === undefined) {
        controller.enqueue(encoder.encode('\n'));
        return;
      }
      next = undefined;
      if (step.done === true) controller.close();
      else controller.enqueue(encoder.encode(`${jsonLine(step.value)}\n`));
    },
    async cancel() {
      stop?.();
      await iterator.return?.();
    },
  });
  return new Response(body, { headers: { 'Content-Type': NDJSON, 'Cache-Control': 'no-store' } });
}

/**
 * The same values, once the first is there or there is none.
 *
 * @throws what stops the first one from being there
 */
export async function begun<T>(values: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const iterator = values[Symbol.asyncIterator]();
  let first: IteratorResult<T> | undefined = await iterator.next();
  const again: AsyncIterator<T> = {
    next: async () => {
      const step = first ?? (await iterator.next());
      first = undefined;
      return step;
    },
    return: async (value?: unknown) => (await iterator.return?.(value)) ?? { done: true, value: undefined },
  };
  return { [Symbol.asyncIterator]: () => again };
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}
