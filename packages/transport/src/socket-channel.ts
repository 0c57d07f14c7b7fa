import type { Socket } from 'node:net';
import type { Channel, ChannelListener } from '@caracal/core';

/** What may come on a connection before it is handed over, bytes. Whoever sends more loses the connection. */
export const MAX_EARLY_BYTES = 64 * 1024;

/** A channel over a socket that has left HTTP behind. */
export class SocketChannel implements Channel {
  readonly #socket: Socket;
  #early: Uint8Array[];
  #release: (() => void) | undefined;
  #listener: ChannelListener | undefined;
  #paused = false;
  #destroyed = false;

  /** @param early what was read from the socket already */
  constructor(socket: Socket, early?: Uint8Array) {
    this.#socket = socket;
    this.#early = early === undefined || early.length === 0 ? [] : [early];
    // Each direction has an end of its own: reading one must not cut off what is still to be written.
    socket.allowHalfOpen = true;
    socket.setTimeout(0);
    // Without a listener an error would end the process. `close` follows, and says all there is to say.
    socket.on('error', () => socket.destroy());
  }

  /**
   * Reads and keeps what comes before `open()`, because only a socket that is read tells that its peer has gone.
   * @param onGone called once, where the peer ends, breaks off or sends more than {@link MAX_EARLY_BYTES}
   */
  hold(onGone: () => void): void {
    const socket = this.#socket;
    let held = this.#early[0]?.length ?? 0;
    const keep = (chunk: Uint8Array): void => {
      held += chunk.length;
      if (held > MAX_EARLY_BYTES) socket.destroy();
      else this.#early.push(chunk);
    };
    const gone = (): void => {
      this.release();
      onGone();
    };
    this.#release = () => socket.off('data', keep).off('end', gone).off('close', gone);
    socket.on('data', keep).on('end', gone).on('close', gone);
    socket.resume();
  }

  /** Gives up what was held, and listens no more: the socket is used for something else. */
  release(): void {
    this.#release?.();
    this.#release = undefined;
  }

  open(listener: ChannelListener): void {
    if (this.#destroyed) return;
    this.#listener = listener;
    this.release();
    for (const chunk of this.#early.splice(0)) listener.onChunk(chunk);
    this.#listen(listener);
    // Closed while nobody listened.
    if (this.#socket.closed) queueMicrotask(() => this.#closed(listener));
    else if (!this.#paused) this.#socket.resume();
  }

  write(chunk: Uint8Array): boolean {
    return this.#socket.writable ? this.#socket.write(chunk) : true;
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#listener !== undefined) this.#socket.resume();
  }

  end(): void {
    if (this.#socket.writable) this.#socket.end();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#socket.destroy();
  }

  #listen(listener: ChannelListener): void {
    const unlessDestroyed = (event: () => void) => (): void => {
      if (!this.#destroyed) event();
    };
    this.#socket
      .on('data', (chunk: Uint8Array) => {
        if (!this.#destroyed) listener.onChunk(chunk);
      })
      .on(
        'drain',
        unlessDestroyed(() => listener.onReady()),
      )
      .on(
        'end',
        unlessDestroyed(() => listener.onEnd()),
      )
      .on(
        'finish',
        unlessDestroyed(() => listener.onFinish()),
      )
      .on('close', () => this.#closed(listener));
  }

  #closed(listener: ChannelListener): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    listener.onClose();
  }
}
