/** Status codes the gateway closes with. @see RFC 6455 section 7.4.1 */
export const CLOSE_POLICY_VIOLATION = 1008;
export const CLOSE_GOING_AWAY = 1001;

const FINAL_CLOSE = 0x88;
const MASKED = 0x80;

/**
 * A close frame.
 * @param reason ASCII, at most 123 characters
 * @param mask four bytes nobody can guess towards a server, which demands them; none towards a client, which forbids them
 * @see RFC 6455 sections 5.3 and 5.5.1
 */
export function closeFrame(code: number, reason: string, mask?: Uint8Array): Uint8Array {
  const payload = new Uint8Array([code >> 8, code & 0xff, ...new TextEncoder().encode(reason)]);
  if (mask === undefined) return new Uint8Array([FINAL_CLOSE, payload.length, ...payload]);
  const masked = payload.map((byte, index) => byte ^ mask[index % mask.length]!);
  return new Uint8Array([FINAL_CLOSE, MASKED | payload.length, ...mask, ...masked]);
}
