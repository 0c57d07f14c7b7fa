/** What a frame is made of. */
export interface FrameParts {
  readonly opcode: number;
  readonly final: boolean;
  readonly payload: Uint8Array;
  /** Four bytes; none for an unmasked frame. */
  readonly mask?: Uint8Array | undefined;
  /** Spells the length with so many bytes, also where fewer would do. */
  readonly lengthBytes?: 0 | 2 | 8;
}

/** A frame as it goes over the wire. @see RFC 6455 section 5.2 */
export function frame({ opcode, final, payload, mask, lengthBytes }: FrameParts): Uint8Array {
  const { length } = payload;
  const spelled = lengthBytes ?? (length < 126 ? 0 : length < 65_536 ? 2 : 8);
  const short = spelled === 0 ? length : spelled === 2 ? 126 : 127;
  const extended = Array.from(
    { length: spelled },
    (_, index) => Math.floor(length / 256 ** (spelled - 1 - index)) % 256,
  );
  const masked = mask === undefined ? payload : payload.map((byte, index) => byte ^ mask[index % 4]!);
  return new Uint8Array([
    (final ? 0x80 : 0) | opcode,
    (mask === undefined ? 0 : 0x80) | short,
    ...extended,
    ...(mask ?? []),
    ...masked,
  ]);
}

/** Bytes one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}
