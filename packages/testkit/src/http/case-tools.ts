import assert from 'node:assert/strict';
import type { AuditRecord } from '@caracal/core';
import type { Claims } from '../issuer.js';
import { TAG_HEADER } from '../upstream.js';
import type { CaseRequest, HttpCaseTools } from './case.js';
import { RawConnection, type RawResponse } from './client.js';
import { assertRefusal, assertRefusalRecords } from './expect-refusal.js';
import { headerValue } from './message.js';
import { requestBytes } from './request-bytes.js';
import type { HttpSuite } from './suite.js';
import { HANDSHAKE } from './web-socket.js';
import type { IssuerName, Variant } from './world.js';

/** Tools for one run of one case, and how it ends. */
export interface OpenedCase {
  readonly tools: HttpCaseTools;
  /** Asserts that no secret of the suite came back in an answer or stands in a record the case has seen. */
  assertNothingLeaked(): void;
  close(): void;
}

/** Makes the tools of one case. */
export async function openCase(suite: HttpSuite, variant: Variant): Promise<OpenedCase> {
  const { upstreams, issuers, canaries } = suite;
  const subject = await suite.subject(variant);
  const tag = crypto.randomUUID();
  const connections: RawConnection[] = [];
  const seen: { readonly text: string; readonly where: string }[] = [];
  const every = Object.values(upstreams);
  // A HEAD and a GET refusal differ in their bodies alone; which it was is known from what was sent last.
  let lastMethod = 'GET';

  const mandate = async (claims?: Claims, header?: Claims, issuer: IssuerName = 'main'): Promise<string> => {
    const minted = await issuers[issuer].mint(claims, header);
    canaries.add(minted, 'a mandate');
    return minted;
  };
  const request = async (parts: CaseRequest = {}): Promise<Buffer> => {
    const { claims, issuer = 'main', resource = 'resource://echo', headers = [], ...rest } = parts;
    lastMethod = parts.method ?? 'GET';
    const reached = resource || 'resource://echo';
    const reach = issuers[issuer].profile === 'rfc9068' ? { aud: reached } : { target: [reached] };
    const token = parts.mandate === undefined ? await mandate({ ...reach, ...claims }, {}, issuer) : parts.mandate;
    return requestBytes({ ...rest, mandate: token, resource, headers: [[TAG_HEADER, tag], ...headers] });
  };
  const connect = async (): Promise<RawConnection> => {
    const connection = await RawConnection.open(subject.port);
    connections.push(connection);
    return connection;
  };
  const requests = () => every.flatMap((upstream) => upstream.requests(tag));
  const records = async (of: Parameters<HttpCaseTools['records']>[0]): Promise<readonly AuditRecord[]> => {
    const requestId = typeof of === 'string' ? of : headerValue(of.headers, 'x-caracal-request-id');
    assert.ok(requestId, 'X-Caracal-Request-Id is on every response');
    const found = await subject.records(requestId);
    seen.push({ text: JSON.stringify(found), where: 'a record' });
    return found;
  };

  const tools: HttpCaseTools = {
    tag,
    subject,
    upstream: upstreams.main,
    lone: upstreams,
    issuers,
    mandate,
    secret: (text) => {
      canaries.add(text, 'a secret of the case');
      return text;
    },
    request,
    connect,
    send: async (what) => {
      const bytes = typeof what === 'string' || what instanceof Uint8Array ? what : await request(what);
      const connection = await connect();
      void connection.send(bytes);
      const response = await connection.response(lastMethod);
      seen.push({ text: response.text + response.body.toString('latin1'), where: 'a response' });
      return response;
    },
    webSocket: async ({ headers = [], ...parts } = {}) => {
      const connection = await connect();
      void connection.send(await request({ resource: 'resource://ws', ...parts, headers: [...HANDSHAKE, ...headers] }));
      const head = await connection.head();
      seen.push({ text: head.text, where: 'a handshake' });
      const error = headerValue(head.headers, 'x-caracal-error');
      assert.equal(head.status, 101, `the handshake was answered with ${head.status} ${error}`);
      return { connection, head, peer: connection.frames() };
    },
    answer: (answer) => {
      for (const upstream of every) upstream.answer(tag, answer);
    },
    received: () => {
      const [first, ...others] = requests();
      assert.ok(first !== undefined, 'a request reached the upstream');
      assert.equal(others.length, 0, 'and only one');
      return first;
    },
    nothingReceived: () => assert.equal(requests().length, 0, 'nothing reached the upstream'),
    records,
    refused: async (response: RawResponse, expected) => {
      if (!expected.contacted) tools.nothingReceived();
      const requestId = assertRefusal(response, expected, lastMethod);
      await suite.pace(expected.error);
      if (expected.evidence === 'none') return { type: 'request.denied' } as AuditRecord;
      return assertRefusalRecords(await records(requestId), response, expected);
    },
    allowed: async (response, status = 200) => {
      const error = headerValue(response.headers, 'x-caracal-error');
      assert.equal(error, undefined, `refused with ${error}: ${response.body.toString().slice(0, 300)}`);
      assert.equal(response.status, status);
      assert.ok(response.complete, 'the answer came whole');
      const [authorized, completed, ...others] = await records(response);
      assert.deepEqual([authorized?.type, completed?.type], ['request.authorized', 'request.completed']);
      assert.equal(others.length, 0);
      assert.equal(authorized!.decision, 'allowed');
      assert.equal(completed!.outcome, 'executed');
      assert.equal(completed!.status, status);
      return { authorized: authorized!, completed: completed! };
    },
  };
  return {
    tools,
    assertNothingLeaked: () => {
      for (const { text, where } of seen) canaries.assertAbsent(text, where);
    },
    close: () => {
      for (const connection of connections) connection.destroy();
    },
  };
}
