import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Channel, Driven, Presence, Refusal, UpgradeCaller } from '@caracal/core';
import { SocketChannel } from '@caracal/transport';
import type { Connection, Connections } from './connections.js';
import { switchingResponse } from './interim.js';
import { lingeringClose } from './lingering-close.js';
import { NodeCaller } from './node-caller.js';

/**
 * A caller who asks for a WebSocket. Node has taken its parser off the socket, so that nothing which comes on it is ever
 * taken for a request again: it goes into the WebSocket, or nowhere. Any other answer is the last on this connection.
 */
export class NodeUpgradeCaller implements UpgradeCaller<Readable>, Presence {
  readonly body = null;
  readonly #socket: Socket;
  readonly #channel: SocketChannel;
  readonly #answer: NodeCaller;

  /** @param head what came behind the request */
  constructor(req: IncomingMessage, head: Uint8Array, connection: Connection, connections: Connections) {
    const { socket } = connection;
    this.#socket = socket;
    connection.last = true;
    // Node has taken its own listener off, and the answer of a caller who reads none of it is given up by this event.
    socket.on('timeout', () => socket.destroy());
    const res = new ServerResponse(req);
    res.shouldKeepAlive = false;
    res.assignSocket(socket);
    res.once('finish', () => {
      this.#channel.release();
      lingeringClose(socket, '', undefined);
    });
    this.#answer = new NodeCaller(req, res, null, connection, connections);
    this.#channel = new SocketChannel(socket, head);
    this.#channel.hold(() => {
      socket.destroy();
      this.#answer.abandon();
    });
  }

  /** The caller went away before it was answered. */
  get gone(): boolean {
    return this.#answer.gone;
  }

  get signal(): AbortSignal {
    return this.#answer.signal;
  }

  /** From here on `driven` hears of the caller, until the connection is handed over. */
  follow(driven: Driven): void {
    this.#answer.follow(driven);
  }

  switchProtocols(headers: string[]): Channel {
    const head = switchingResponse(headers);
    this.#answer.withdraw();
    this.#socket.write(head, 'latin1');
    return this.#channel;
  }

  interim(status: number, headers: string[]): void {
    this.#answer.interim(status, headers);
  }

  respond(status: number, headers: string[]): void {
    this.#answer.respond(status, headers);
  }

  write(chunk: Uint8Array): boolean {
    return this.#answer.write(chunk);
  }

  end(): void {
    this.#answer.end();
  }

  refuse(refusal: Refusal): void {
    this.#answer.refuse(refusal);
  }

  destroy(): void {
    this.#answer.destroy();
  }
}
