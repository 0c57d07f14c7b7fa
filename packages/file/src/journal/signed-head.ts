import { type KeyObject, sign, verify } from 'node:crypto';
import type { ChainPosition } from './journal-event.js';

/** A signed statement: at `time` the chain had come to record `seq` with this hash, and all of it was on the disk. */
export interface SignedHead extends ChainPosition {
  /** ISO 8601, UTC. */
  readonly time: string;
  /** Ed25519 over the bytes of {@link headLine} before `,"signature":`; base64url. */
  readonly signature: string;
}

/** Signs a head. `now`: ms since the epoch. */
export function signHead({ chain, seq, hash }: ChainPosition, now: number, privateKey: KeyObject): SignedHead {
  const head = { chain, seq, hash, time: new Date(now).toISOString() };
  return { ...head, signature: sign(null, Buffer.from(statement(head)), privateKey).toString('base64url') };
}

/** Whether the signature of a head is this key's. */
export function verifyHead(head: SignedHead, publicKey: KeyObject): boolean {
  // Only the canonical spelling: no two texts are one signature.
  const signature = Buffer.from(head.signature, 'base64url');
  if (signature.toString('base64url') !== head.signature) return false;
  return verify(null, Buffer.from(statement(head)), publicKey, signature);
}

/** A head as one line of JSON, without line feed. */
export function headLine(head: SignedHead): string {
  return `${statement(head)},"signature":${JSON.stringify(head.signature)}}`;
}

/**
 * Parses one line of a heads file.
 *
 * @throws SyntaxError for what is not exactly a line of {@link headLine}.
 */
export function parseHead(line: string): SignedHead {
  const { chain, seq, hash, time, signature } = JSON.parse(line) as SignedHead;
  const head = { chain, seq, hash, time, signature };
  if (headLine(head) !== line) throw new SyntaxError('not a signed head');
  return head;
}

function statement({ chain, seq, hash, time }: Omit<SignedHead, 'signature'>): string {
  // The type keeps a head's signature from being taken for one over anything else this key might sign.
  return JSON.stringify({ type: 'caracal.audit.head', chain, seq, hash, time }).slice(0, -1);
}
