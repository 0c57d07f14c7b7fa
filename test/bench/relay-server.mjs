import { createServer } from 'node:http';
import { Pool } from 'undici';
import { RelayAnswer, relayed } from './relay-answer.mjs';

/** The least a relay on Node can do: node:http in, undici's dispatch out, raw header lists, no rule applied. */
export function relayServer(upstreamUrl) {
  const pool = new Pool(upstreamUrl, { pipelining: 1 });
  return createServer((req, res) => void pool.dispatch(relayed(req, req.rawHeaders), new RelayAnswer(res)));
}
