import { type ConnectionKey, isIdentifier, isName } from '@caracal/core';
import { MAX_INVITATION_SECONDS } from '@caracal/oauth';
import * as v from 'valibot';
import { structureProblems } from '../configuration/structure.js';

/** Connections of one answer where no limit is given. */
export const DEFAULT_CONNECTIONS_LIMIT = 1_000;
/** Most connections of one answer. */
export const MAX_CONNECTIONS_LIMIT = 10_000;

const zone = v.pipe(
  v.string(),
  v.check((text) => isName(text), 'is no zone; give 1 to 128 of A-Z a-z 0-9 . _ : -'),
);
const provider = v.pipe(
  v.string(),
  v.regex(/^[\x21-\x7e]{1,512}$/, 'is no id; give 1 to 512 visible ASCII characters'),
);
const identifier = v.pipe(
  v.string(),
  v.check((text) => isIdentifier(text), 'is no identifier; give 1 to 512 characters without control characters'),
);
const whole = (most: number) => {
  const range = `is no whole number from 1 to ${most}; give one`;
  return v.pipe(v.number(range), v.safeInteger(range), v.minValue(1, range), v.maxValue(most, range));
};

const owner = {
  zone: v.optional(zone),
  issuer: v.optional(identifier),
  subject: v.optional(identifier),
  shared: v.optional(v.boolean()),
};
const connectionSchema = v.strictObject({ provider, ...owner });
const invitationSchema = v.strictObject({
  provider,
  ...owner,
  ttlSeconds: v.optional(whole(MAX_INVITATION_SECONDS)),
});
const listSchema = v.strictObject({
  provider: v.optional(provider),
  ...owner,
  limit: v.optional(whole(MAX_CONNECTIONS_LIMIT), DEFAULT_CONNECTIONS_LIMIT),
});

/** The connection that a body names. Answers what is wrong as a text. */
export function connectionOf(body: unknown, defaultZone: string): ConnectionKey | string {
  const read = validated(connectionSchema, body);
  return typeof read === 'string' ? read : keyOf(read, defaultZone);
}

/** What an invitation is asked for. Answers what is wrong as a text. */
export function invitationOf(
  body: unknown,
  defaultZone: string,
): { readonly key: ConnectionKey; readonly ttlSeconds: number | undefined } | string {
  const read = validated(invitationSchema, body);
  if (typeof read === 'string') return read;
  const key = keyOf(read, defaultZone);
  return typeof key === 'string' ? key : { key, ttlSeconds: read.ttlSeconds };
}

/** Which connections are asked for. */
export interface ConnectionQuery {
  readonly limit: number;
  /** The one connection this can be, where it says so much. */
  readonly key: ConnectionKey | undefined;
  matches(key: ConnectionKey): boolean;
}

/** Reads the parameters of a query. Answers what is wrong as a text. */
export function connectionQuery(parameters: URLSearchParams, defaultZone: string): ConnectionQuery | string {
  const given: Record<string, unknown> = {};
  for (const name of new Set(parameters.keys())) {
    const [value = '', ...more] = parameters.getAll(name);
    if (more.length > 0) return 'A parameter is given twice.';
    given[name] = name === 'shared' ? boolean(value) : name === 'limit' ? decimal(value) : value;
  }
  const read = validated(listSchema, given);
  if (typeof read === 'string') return read;
  const { limit, zone: zoneId, provider: providerId, issuer, subject, shared } = read;
  if (shared === true && (issuer !== undefined || subject !== undefined)) return SHARED_OR_OWN;
  const isOne = providerId !== undefined && (shared === true || (issuer !== undefined && subject !== undefined));
  const key = isOne ? (keyOf({ ...read, provider: providerId }, defaultZone) as ConnectionKey) : undefined;
  return {
    limit,
    key,
    matches: (found) =>
      (zoneId === undefined || found.zoneId === zoneId) &&
      (providerId === undefined || found.providerId === providerId) &&
      (shared === undefined || (found.owner === 'shared') === shared) &&
      (issuer === undefined || (found.owner !== 'shared' && found.owner.issuer === issuer)) &&
      (subject === undefined || (found.owner !== 'shared' && found.owner.subject === subject)),
  };
}

const SHARED_OR_OWN = 'Give shared, or issuer and subject.';

function boolean(text: string): boolean | string {
  return text === 'true' || (text === 'false' ? false : text);
}

function decimal(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}

interface Named {
  readonly zone?: string | undefined;
  readonly provider: string;
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly shared?: boolean | undefined;
}

function keyOf(
  { zone: zoneId, provider: providerId, issuer, subject, shared }: Named,
  defaultZone: string,
): ConnectionKey | string {
  const place = { zoneId: zoneId ?? defaultZone, providerId };
  if (shared === true) {
    return issuer === undefined && subject === undefined ? { ...place, owner: 'shared' } : SHARED_OR_OWN;
  }
  return issuer === undefined || subject === undefined ? SHARED_OR_OWN : { ...place, owner: { issuer, subject } };
}

// Its own texts, which quote no value.
function validated<S extends v.GenericSchema>(schema: S, input: unknown): v.InferOutput<S> | string {
  const isObject = typeof input === 'object' && input !== null && !Array.isArray(input);
  if (!isObject) return 'The body is a JSON object: {"provider":"...","issuer":"...","subject":"..."}.';
  const problems = structureProblems(schema, input);
  if (problems.length > 0) return problems.map(({ path, fault, remedy }) => `${path} ${fault}; ${remedy}.`).join(' ');
  return v.parse(schema, input);
}
