import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHead } from '@caracal/core';
import type { NodeCaller } from './node-caller.js';
import type { ReadPeer } from './trusted-proxies.js';

/** One connection of a caller. */
export class Connection {
  readonly socket: Socket;
  readonly peer: RequestHead['peer'];
  /** Who is answered on it now; `undefined` while it is idle. */
  caller: NodeCaller | undefined;
  /** Pipelined requests that wait for their turn. */
  waiting = 0;
  /** Nothing is served on it after the present request. */
  last = false;

  /** Requests under way that an application answers, whether or not a caller of ours is among them. */
  #held = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    // Sockets of the file system have no address, closed ones no longer.
    this.peer = { address: socket.remoteAddress ?? '' };
  }

  /** Nothing is under way on it. */
  get idle(): boolean {
    return this.caller === undefined && this.waiting === 0 && this.#held === 0;
  }

  /** Not idle until this response is closed. */
  hold(res: ServerResponse, connections: Connections): void {
    this.#held += 1;
    res.once('close', () => {
      this.#held -= 1;
      connections.rested(this);
    });
  }
}

/** The connections of one server. */
export class Connections {
  /** No further request is wanted on any of them. */
  draining = false;
  /** While draining: idle ones stay for one more request, whose answer says that it is the last. */
  patient = false;
  readonly #readPeer: ReadPeer;
  readonly #open = new Set<Socket>();
  readonly #bySocket = new Map<Socket, Connection>();

  constructor(readPeer: ReadPeer) {
    this.#readPeer = readPeer;
  }

  /** A transport connection was accepted. Under TLS it carries another socket, which is the one requests know. */
  opened(socket: Socket): void {
    if (this.#open.has(socket)) return;
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
  }

  /** The connection of this socket; known from now until it closes. */
  of(socket: Socket): Connection {
    const known = this.#bySocket.get(socket);
    if (known !== undefined) return known;
    const connection = new Connection(socket);
    this.#bySocket.set(socket, connection);
    socket.once('close', () => this.#bySocket.delete(socket));
    return connection;
  }

  /** Who sent a request on this connection. */
  peerOf({ peer }: Connection, rawHeaders: readonly string[]): RequestHead['peer'] {
    const address = this.#readPeer(peer.address, rawHeaders);
    return address === peer.address ? peer : { address };
  }

  /** An answer was written out, or its connection is gone. */
  released(connection: Connection): void {
    connection.caller = undefined;
    this.rested(connection);
  }

  /** Something on it has ended. */
  rested(connection: Connection): void {
    // The head of this answer may have promised a kept connection before draining began.
    if (this.draining && !this.patient && connection.idle) connection.socket.destroySoon();
  }

  closeIdle(): void {
    if (this.patient) return;
    for (const connection of this.#bySocket.values()) {
      if (connection.idle) connection.socket.destroySoon();
    }
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
    for (const socket of this.#bySocket.keys()) socket.destroy();
  }
}
