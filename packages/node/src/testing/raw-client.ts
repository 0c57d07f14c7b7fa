import { connect, type Socket } from 'node:net';

/** A caller that sends exact bytes and keeps exact bytes, latin1. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  /** How the other side ended the connection. */
  ended: 'no' | 'end' | 'reset' = 'no';
  closed = false;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => {
      this.received += text;
    });
    this.socket.on('end', () => {
      this.ended = 'end';
    });
    this.socket.on('error', () => {
      this.ended = 'reset';
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  send(...lines: string[]): this {
    this.socket.write(lines.join('\r\n'), 'latin1');
    return this;
  }

  /** Sends a request without a body. */
  get(target: string, ...headers: string[]): this {
    return this.send(`GET ${target} HTTP/1.1`, 'Host: gateway.test', ...headers, '', '');
  }

  /** Waits for text to arrive. */
  async until(text: string): Promise<string> {
    await eventually(() => this.received.includes(text) || this.closed);
    if (!this.received.includes(text)) throw new Error(`"${text}" never came, but: ${this.received}`);
    return this.received;
  }

  /** Waits for the connection to end and tells all that came. */
  async end(): Promise<string> {
    await eventually(() => this.closed);
    return this.received;
  }

  /** The answers so far, each from its status line on. */
  get answers(): string[] {
    return this.received.split(/(?=HTTP\/1\.1 \d)/).filter((answer) => answer !== '');
  }
}

/** Waits until it holds; the test's own time limit ends it otherwise. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}
