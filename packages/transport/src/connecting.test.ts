import { EventEmitter } from 'node:events';
import type { LookupFunction, Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AddressNotAllowedError } from './guarded-lookup.js';
import {
  answer,
  onRequestHead,
  planTo,
  policy,
  Recording,
  send,
  type TestUpstream,
  testUpstream,
} from './test-upstream.js';
import { undiciTransport } from './undici-transport.js';

const closing: { close(): Promise<void> }[] = [];

function closeLater<T extends { close(): Promise<void> }>(value: T): T {
  closing.push(value);
  return value;
}

async function upstream(script: (socket: Socket, number: number) => void): Promise<TestUpstream> {
  return closeLater(await testUpstream(script));
}

const answersOk = (): Promise<TestUpstream> =>
  upstream((socket) => onRequestHead(socket, () => socket.write(answer('ok'))));

/** A lookup with one scripted list of addresses per call; the last one stays. */
function answering(...answers: string[][]): LookupFunction & { readonly asked: string[] } {
  const asked: string[] = [];
  const lookup: LookupFunction = (name, _options, callback) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)]!;
    asked.push(name);
    process.nextTick(
      callback,
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return Object.assign(lookup, { asked });
}

function limited(connectTimeoutMs: number) {
  return { limits: { ...planTo('http://h').limits, connectTimeoutMs } };
}

afterEach(async () => {
  for (const value of closing.splice(0)) await value.close();
});

describe('the guarded dial', () => {
  it.each([
    ['127.0.0.1', 'http://127.0.0.1'],
    ['127.0.0.1 in another spelling', 'http://0x7f.1'],
    ['::1', 'http://[::1]'],
    ['a mapped literal', 'http://[::ffff:127.0.0.1]'],
    ['localhost', 'http://localhost'],
  ])('does not dial %s where the policy forbids it', async (_name, host) => {
    const { port, sockets } = await answersOk();
    const plan = planTo(`${host}:${port}`, { addressPolicy: policy([]) });
    const recording = await send(closeLater(undiciTransport()), plan);
    expect(recording.events).toEqual(['failure address']);
    expect(recording.failure?.cause).toBeInstanceOf(AddressNotAllowedError);
    expect(sockets.length).toBe(0);
  });

  it('judges every literal as it is dialled, without brackets', async () => {
    const judged: string[] = [];
    const addressPolicy = { key: 'spy', allows: (address: string) => judged.push(address) < 0 };
    const transport = closeLater(undiciTransport());
    await send(transport, planTo('http://[::1]:1', { addressPolicy }));
    await send(transport, planTo('http://127.1:1', { addressPolicy }));
    expect(judged).toEqual(['::1', '127.0.0.1']);
  });

  it('drops forbidden answers and dials an allowed one', async () => {
    const { port } = await answersOk();
    const lookup = answering(['10.0.0.1', '127.0.0.1', '::1']);
    const transport = closeLater(undiciTransport({ lookup }));
    const plan = planTo(`http://upstream.example:${port}`, { addressPolicy: policy(['127.0.0.1']) });
    expect((await send(transport, plan)).body).toBe('ok');
    expect(lookup.asked).toEqual(['upstream.example']);
  });

  it('tries the next allowed address where one does not answer', async () => {
    const { port } = await answersOk();
    const lookup = answering(['127.0.0.2', '127.0.0.1']);
    const plan = planTo(`http://upstream.example:${port}`, { addressPolicy: policy(['127.0.0.1', '127.0.0.2']) });
    expect((await send(closeLater(undiciTransport({ lookup })), plan)).body).toBe('ok');
  });

  it('looks up once per connection, so that an answer that changes is judged and dialled as one', async () => {
    const { port, sockets } = await answersOk();
    const lookup = answering(['127.0.0.1'], ['10.0.0.1']);
    const transport = closeLater(undiciTransport({ lookup }));
    const plan = planTo(`http://rebinding.example:${port}`, { addressPolicy: policy(['127.0.0.1']) });
    expect((await send(transport, plan)).body).toBe('ok');
    expect(lookup.asked.length).toBe(1);
    expect((await send(transport, plan)).reused).toBe(true);
    expect(lookup.asked.length).toBe(1);
    sockets[0]!.destroy();
    await vi.waitFor(async () => expect((await send(transport, plan)).events).toEqual(['failure address']));
  });

  it.each([
    ['no addresses', []],
    ['what is no address', ['not-an-address']],
    ['a socket path', ['/var/run/some.sock']],
  ])('takes %s from a lookup for not allowed', async (_name, addresses) => {
    const transport = closeLater(undiciTransport({ lookup: answering(addresses) }));
    const { events } = await send(
      transport,
      planTo('http://upstream.example', { addressPolicy: policy(['127.0.0.1']) }),
    );
    expect(events).toEqual(['failure address']);
  });

  it.each(['http', 'https'])(
    'verifies the connected address again, and sends nothing over %s where that is not allowed',
    async (scheme) => {
      const { port, sockets } = await answersOk();
      let judgements = 0;
      const addressPolicy = { key: 'once', allows: () => ++judgements === 1 };
      const { events } = await send(
        closeLater(undiciTransport()),
        planTo(`${scheme}://127.0.0.1:${port}`, { addressPolicy }),
      );
      expect(events).toEqual(['failure address']);
      expect(judgements).toBe(2);
      await vi.waitFor(() => expect(sockets.length).toBe(1));
      expect(sockets[0]!.bytesRead).toBe(0);
    },
  );
});

describe('no connection', () => {
  it('is unreachable where it is refused', async () => {
    const gone = await testUpstream(() => {});
    await gone.close();
    const { events, failure } = await send(closeLater(undiciTransport()), planTo(gone.origin));
    expect(events).toEqual(['failure unreachable']);
    expect(failure?.cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is unreachable where the name is unknown', async () => {
    const lookup: LookupFunction = (_name, _options, callback) =>
      process.nextTick(callback, Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), []);
    const { events } = await send(closeLater(undiciTransport({ lookup })), planTo('http://upstream.example'));
    expect(events).toEqual(['failure unreachable']);
  });

  it.each(['http://127.0.0.1/path', 'http://user:secret@127.0.0.1', 'ftp://127.0.0.1', 'nonsense'])(
    'is to be had for %s, which is no origin',
    async (origin) => {
      const plan = planTo('http://127.0.0.1', { origin });
      expect((await send(closeLater(undiciTransport()), plan)).events).toEqual(['failure unreachable']);
    },
  );

  it('in time is a timeout, from the lookup on', async () => {
    const lookup: LookupFunction = () => {};
    const { events } = await send(
      closeLater(undiciTransport({ lookup })),
      planTo('http://upstream.example', limited(10)),
    );
    expect(events).toEqual(['failure timeout']);
  });

  it('in time is a timeout in a TLS handshake that is not answered, and closes the socket', async () => {
    const closed = new EventEmitter();
    const gone = new Promise((resolve) => closed.once('close', resolve));
    const { port } = await upstream((socket) => socket.resume().on('close', () => closed.emit('close')));
    const { events } = await send(closeLater(undiciTransport()), planTo(`https://127.0.0.1:${port}`, limited(20)));
    expect(events).toEqual(['failure timeout']);
    await gone;
  });

  it('in time is a timeout for who waits in line', async () => {
    const { origin } = await upstream(() => {});
    const transport = closeLater(undiciTransport({ maxConnections: 1 }));
    const held = new Recording();
    transport.dispatch(planTo(origin), null, held);
    await held.seen('sent');
    expect((await send(transport, planTo(origin, limited(10)))).events).toEqual(['failure timeout']);
    expect(held.events).toEqual(['start', 'sent']);
  });

  it('is unreachable at once where too many wait already', async () => {
    const { origin } = await upstream(() => {});
    const transport = closeLater(undiciTransport({ maxConnections: 1, maxWaiting: 1 }));
    const held = new Recording();
    transport.dispatch(planTo(origin), null, held);
    await held.seen('sent');
    transport.dispatch(planTo(origin), null, new Recording());
    expect((await send(transport, planTo(origin))).events).toEqual(['failure unreachable']);
  });
});

describe('the line', () => {
  it('is served in order, by connections that come free', async () => {
    const { origin, sockets } = await upstream((socket) =>
      onRequestHead(socket, (head) => socket.write(answer(head.split(' ')[1]!))),
    );
    const transport = closeLater(undiciTransport({ maxConnections: 2 }));
    const order: string[] = [];
    const all = Array.from({ length: 20 }, async (_, i) => {
      const { body } = await send(transport, planTo(origin, { target: `/${i}` }));
      order.push(body);
    });
    await Promise.all(all);
    expect(order).toHaveLength(20);
    expect(new Set(order).size).toBe(20);
    expect(sockets.length).toBe(2);
  });

  it('is served by new connections where the old ones close', async () => {
    const { origin, sockets } = await upstream((socket) =>
      onRequestHead(socket, () => socket.end(answer('ok', '200 OK', 'Connection: close\r\n'))),
    );
    const transport = closeLater(undiciTransport({ maxConnections: 1 }));
    const all = await Promise.all(Array.from({ length: 5 }, () => send(transport, planTo(origin))));
    expect(all.map(({ body }) => body)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
    expect(sockets.length).toBe(5);
  });

  it('goes on where a dial fails', async () => {
    const { port } = await answersOk();
    const lookup = answering(['10.0.0.1'], ['127.0.0.1']);
    const transport = closeLater(undiciTransport({ lookup, maxConnections: 1 }));
    const plan = planTo(`http://upstream.example:${port}`, { addressPolicy: policy(['127.0.0.1']) });
    const [first, second] = await Promise.all([send(transport, plan), send(transport, plan)]);
    expect(first.events).toEqual(['failure address']);
    expect(second.body).toBe('ok');
  });

  it('is told when the transport closes', async () => {
    const { origin } = await upstream(() => {});
    const transport = undiciTransport({ maxConnections: 1 });
    const held = new Recording();
    transport.dispatch(planTo(origin), null, held);
    await held.seen('sent');
    const waiting = send(transport, planTo(origin));
    await new Promise((resolve) => setImmediate(resolve));
    await transport.close();
    expect((await waiting).events).toEqual(['failure unreachable']);
  });
});

describe('the number of pools', () => {
  it('is bounded: the one used least recently is retired, what is under way there finishes', async () => {
    let free = (): void => {};
    const { port, sockets } = await upstream((socket) =>
      onRequestHead(socket, (head) => {
        if (head.includes(' /held ')) free = () => socket.write(answer('late'));
        else socket.write(answer('ok'));
      }),
    );
    const transport = closeLater(undiciTransport({ lookup: answering(['127.0.0.1']), maxPools: 2 }));
    const to = (name: string, target = '/') => planTo(`http://${name}.example:${port}`, { target });
    await send(transport, to('a'));
    const held = new Recording();
    transport.dispatch(to('b', '/held'), null, held);
    await held.seen('sent');
    await send(transport, to('a'));
    await send(transport, to('c'));
    expect((await send(transport, to('a'))).reused).toBe(true);
    await vi.waitFor(() => free());
    expect((await held.over).body).toBe('late');
    await vi.waitFor(() => expect(sockets[1]!.destroyed).toBe(true));
    expect((await send(transport, to('b'))).reused).toBe(false);
  });
});
