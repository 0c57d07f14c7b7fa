// The bare relay that refuses forged mandates and looks at nothing else: what a flood of requests costs anybody who answers them.
import { createServer } from 'node:http';
import { Pool } from 'undici';
import { FORGED_SIGNATURE } from '../input.mjs';
import { RelayAnswer, relayed } from '../relay-answer.mjs';
import { serve } from '../serve.mjs';

const BODY = JSON.stringify({
  error: 'invalid_token',
  error_description: 'The mandate is malformed, expired, not yet valid, or not from a trusted issuer for this gateway.',
  requestId: '019ac000-0000-7000-8000-000000000000',
});
const HEADERS = [
  'Content-Type',
  'application/json',
  'Content-Length',
  String(BODY.length),
  'Cache-Control',
  'no-store',
  'WWW-Authenticate',
  'Bearer realm="relay", error="invalid_token"',
];

await serve(({ upstreamUrl }) => {
  const pool = new Pool(upstreamUrl, { pipelining: 1 });
  return createServer((req, res) => {
    if (req.headers.authorization.endsWith(FORGED_SIGNATURE)) res.writeHead(401, HEADERS).end(BODY);
    else pool.dispatch(relayed(req, req.rawHeaders), new RelayAnswer(res));
  });
});
