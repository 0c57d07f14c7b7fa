/** Largest body of a request, bytes. */
export const MAX_BODY_BYTES = 64 * 1024;
/** How long a body may take to arrive, ms. */
export const BODY_TIMEOUT_MS = 10_000;

/** What went wrong with a body, and the status HTTP has for it. */
export interface BodyFault {
  readonly reason: 'body_too_large' | 'body_timeout' | 'body_aborted' | 'body_not_utf8';
  readonly status: 400 | 408 | 413;
}

export const TOO_LARGE: BodyFault = Object.freeze({ reason: 'body_too_large', status: 413 });
export const LATE: BodyFault = Object.freeze({ reason: 'body_timeout', status: 408 });
export const ABORTED: BodyFault = Object.freeze({ reason: 'body_aborted', status: 400 });
export const NOT_UTF8: BodyFault = Object.freeze({ reason: 'body_not_utf8', status: 400 });

/** Reads a body as strict UTF-8: at most {@link MAX_BODY_BYTES}, within {@link BODY_TIMEOUT_MS}. Never rejects. */
export async function readBody(request: Request): Promise<string | BodyFault> {
  // A declared length saves reading; it is not believed where it is small.
  if (Number(request.headers.get('content-length')) > MAX_BODY_BYTES) return TOO_LARGE;
  if (request.body === null) return '';
  const reader = request.body.getReader();
  const cancel = () => void reader.cancel().catch(() => {}); // whoever sent it may be gone already
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), BODY_TIMEOUT_MS);
  });
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  let size = 0;
  try {
    for (;;) {
      const read = await Promise.race([reader.read().catch(() => ABORTED), late]);
      if (read === 'late') return LATE;
      if ('reason' in read) return read;
      if (read.done) return text + decoder.decode();
      size += read.value.byteLength;
      if (size > MAX_BODY_BYTES) return TOO_LARGE;
      text += decoder.decode(read.value, { stream: true });
    }
  } catch {
    // The decoder's complaint: it would quote nothing, and there is only one.
    return NOT_UTF8;
  } finally {
    clearTimeout(timer);
    cancel();
  }
}
