import { type Anchor, type AnchorKind, isIdentifier, isName } from '@caracal/core';

/** Most anchors of one request. */
export const MAX_ANCHORS = 100;

const KINDS: readonly string[] = [
  'sid',
  'root_sid',
  'agent_session_id',
  'delegation_edge_id',
  'jti',
  'client_id',
  'sub',
] satisfies AnchorKind[];
const MEMBERS = ['kind', 'id', 'zone', 'issuer'];

/** What an anchor is taken to be of where it does not say. */
export interface AnchorDefaults {
  readonly zone: string;
  /** `undefined` where there are several issuers, and one has to be named. */
  readonly issuer: string | undefined;
}

/** Reads `{ "anchors": [...] }`. Answers what is wrong as a text. */
export function anchorsOf(body: unknown, defaults: AnchorDefaults): readonly Anchor[] | string {
  if (!isObject(body) || Object.keys(body).some((key) => key !== 'anchors') || !Array.isArray(body.anchors)) {
    return 'The body is {"anchors":[{"kind":"sid","id":"..."}]}.';
  }
  const { anchors } = body;
  if (anchors.length === 0 || anchors.length > MAX_ANCHORS) return `anchors are 1 to ${MAX_ANCHORS}.`;
  const read: Anchor[] = [];
  for (const [index, entry] of anchors.entries()) {
    const anchor = anchorOf(entry, `anchors[${index}]`, defaults);
    if (typeof anchor === 'string') return anchor;
    read.push(anchor);
  }
  return read;
}

function anchorOf(entry: unknown, where: string, defaults: AnchorDefaults): Anchor | string {
  if (!isObject(entry)) return `${where} is no object.`;
  const unknown = Object.keys(entry).find((key) => !MEMBERS.includes(key));
  if (unknown !== undefined) return `${where} has a member that is not known; known are ${MEMBERS.join(', ')}.`;
  const { kind, id, zone = defaults.zone, issuer = defaults.issuer } = entry;
  if (typeof kind !== 'string' || !KINDS.includes(kind)) return `${where}.kind is one of ${KINDS.join(', ')}.`;
  if (!isIdentifier(id)) return `${where}.id is a text of 1 to 512 characters.`;
  if (!isName(zone)) return `${where}.zone is 1 to 128 of A-Z a-z 0-9 . _ : -.`;
  if (issuer === undefined) return `${where}.issuer is needed: there is more than one.`;
  if (!isIdentifier(issuer)) return `${where}.issuer is a text of 1 to 512 characters.`;
  return { zoneId: zone, issuer, kind: kind as AnchorKind, id };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
