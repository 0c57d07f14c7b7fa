import type { RedisClient } from './client.js';

/** The part of a socket that is used here. */
interface Received {
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
}

/**
 * Tells how much each connection of a client receives, those that it opens later too. The driver knows no limit of its own: it
 * keeps an answer until it has all of it.
 */
export function watchReceived(client: RedisClient, tell: (bytes: number, connection: RedisClient) => void): void {
  const watched = new WeakSet<object>();
  const watch = (connection: RedisClient): void => {
    const listen = (): void => {
      const stream = connection.stream as (Received & object) | null | undefined;
      if (!stream || watched.has(stream)) return;
      watched.add(stream);
      stream.on('data', (chunk) => tell(chunk.length, connection));
    };
    listen();
    connection.on('connect', listen);
  };
  if (client.nodes === undefined) return watch(client);
  for (const node of client.nodes('all')) watch(node);
  client.on('+node', watch);
}
