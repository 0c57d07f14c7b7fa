/** What comes from the other end of a {@link Channel}. */
export interface ChannelListener {
  onChunk(chunk: Uint8Array): void;
  /** More can be written. */
  onReady(): void;
  /** The other end sends nothing more; it may still read. */
  onEnd(): void;
  /** After `end()`: all that was written has been handed to the network. */
  onFinish(): void;
  /** The last event: closed, in order or not. */
  onClose(): void;
}

/** A connection that no longer speaks HTTP: bytes both ways, each way with an end of its own. */
export interface Channel {
  /** Begins to deliver, first what has come already. Called once; events may come before it returns. */
  open(listener: ChannelListener): void;
  /** `false` means: not ready for more until `onReady`. Nothing is written after `end()`. */
  write(chunk: Uint8Array): boolean;
  /** Delivers nothing more until `resume()`. */
  pause(): void;
  resume(): void;
  /** Says that nothing more comes, after what was written. Idempotent. */
  end(): void;
  /** Closes at once. No event follows. Idempotent. */
  destroy(): void;
}
