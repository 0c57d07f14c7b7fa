/** The parts of a head that the first checks have read and found in order. */
export interface CheckedHead {
  readonly method: string;
  /** Raw path, without query. */
  readonly path: string;
  /** Raw query with its `?`, or empty. */
  readonly query: string;
  /** Lower case, with port as received. */
  readonly host: string;
  /** Value of the one `Authorization` header. */
  readonly authorization: string | undefined;
  /** Value of the one `X-Caracal-Resource` header, its form checked. */
  readonly resource: string | undefined;
  /** The caller's `X-Request-Id` where it is 1 to 128 visible ASCII, else `undefined`. */
  readonly clientRequestId: string | undefined;
  readonly framing: 'none' | 'length' | 'chunked';
  /** Declared length in bytes where framing is `length`. */
  readonly contentLength: number | undefined;
  readonly expectsContinue: boolean;
  /** Protocols of `Upgrade`, lower case, where `Connection` names it; else `undefined`. */
  readonly upgrade: string | undefined;
  readonly origin: string | undefined;
  /** Method and headers a CORS preflight asks for (`OPTIONS` with `Origin` and `Access-Control-Request-Method`). */
  readonly preflight: { readonly method: string; readonly headers: string | undefined } | undefined;
}
