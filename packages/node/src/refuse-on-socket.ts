import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Refusal } from '@caracal/core';
import { lingeringClose } from './lingering-close.js';

/** Answers on a socket that has no `ServerResponse`, and closes it. */
export function refuseOnSocket(socket: Socket, refusal: Refusal): void {
  let head = `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}\r\n`;
  for (let index = 0; index < refusal.headers.length; index += 2) {
    head += `${refusal.headers[index]}: ${refusal.headers[index + 1]}\r\n`;
  }
  socket.write(`${head}Date: ${new Date().toUTCString()}\r\nConnection: close\r\n\r\n${refusal.body}`, 'utf8');
  lingeringClose(socket, '', undefined);
}
