import type { AuditRecord, ErrorCode } from '@caracal/core';
import type { Claims, TestIssuer } from '../issuer.js';
import type { Subject } from '../subject.js';
import type { Answer, RecordingUpstream, UpstreamRequest } from '../upstream.js';
import type { RawConnection, RawResponse, ResponseHead } from './client.js';
import type { FramePeer } from './frames.js';
import type { RequestParts } from './request-bytes.js';
import type { IssuerName, Variant } from './world.js';

/** One requirement and how it is shown. */
export interface HttpCase {
  /** A sentence about behaviour; unique. */
  readonly name: string;
  /** Section of the specification of the behaviour: `2.7` is row 7 of section 2. */
  readonly section: string;
  /** Which of the gateways of the suite. Default `main`. */
  readonly variant?: Variant;
  run(t: HttpCaseTools): Promise<void>;
}

/** A request of a case: what is not said is valid. */
export interface CaseRequest extends RequestParts {
  /** Claims of the mandate that is minted where `mandate` is not given. */
  readonly claims?: Claims;
  /** Who mints it. Default `main`. */
  readonly issuer?: IssuerName;
}

/** What a refusal must look like. */
export interface ExpectedRefusal {
  readonly error: ErrorCode;
  /** Default: the one that the code has. */
  readonly status?: number | readonly number[];
  /** Value of `scope` in the challenge. */
  readonly scope?: string;
  /** The upstream had been contacted: the evidence is a pair of records. */
  readonly contacted?: boolean;
  /**
   * `none`: the request cannot be parsed, so a runtime may refuse it before anything is there to record.
   * `unauthenticated`: its record holds no claim. Default by the code.
   */
  readonly evidence?: 'none' | 'unauthenticated' | 'full';
}

/** A WebSocket of a case, seen from the caller. */
export interface OpenWebSocket {
  readonly connection: RawConnection;
  /** The 101. */
  readonly head: ResponseHead;
  readonly peer: FramePeer;
}

/** What a case works with. */
export interface HttpCaseTools {
  /** Goes into every request as `X-Case`. */
  readonly tag: string;
  readonly subject: Subject;
  readonly upstream: RecordingUpstream;
  /** Upstream of `resource://stale` and `resource://fresh`, where it matters which connection is used. */
  readonly lone: { readonly stale: RecordingUpstream; readonly fresh: RecordingUpstream };
  readonly issuers: Readonly<Record<IssuerName, TestIssuer>>;
  /** A mandate that must show up nowhere but at the gateway. */
  mandate(claims?: Claims, header?: Claims, issuer?: IssuerName): Promise<string>;
  /** Keeps any other text from showing up where it must not. */
  secret(text: string): string;
  /** The bytes of a request: with a mandate for its resource, by default `resource://echo`. */
  request(request?: CaseRequest): Promise<Buffer>;
  /** A connection that is closed with the case. */
  connect(): Promise<RawConnection>;
  /** One request on a connection of its own. Text and bytes are sent as they are. */
  send(request?: CaseRequest | string | Uint8Array): Promise<RawResponse>;
  /** A WebSocket to `resource://ws`, where nothing else is said: its handshake has succeeded. */
  webSocket(request?: CaseRequest): Promise<OpenWebSocket>;
  /** What this case's requests are answered by the upstream. */
  answer(answer: Answer): void;
  /** The one request that reached the upstream. */
  received(): UpstreamRequest;
  /** Asserts that no request of this case reached an upstream. */
  nothingReceived(): void;
  /** The records of a request that was answered. */
  records(response: ResponseHead | string): Promise<readonly AuditRecord[]>;
  /** Asserts everything a refusal promises; gives its record. */
  refused(response: RawResponse, expected: ExpectedRefusal): Promise<AuditRecord>;
  /** Asserts that the upstream's answer came whole, and the pair of records; gives both. */
  allowed(response: RawResponse, status?: number): Promise<{ authorized: AuditRecord; completed: AuditRecord }>;
}
