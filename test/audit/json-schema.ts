/** The keywords of JSON Schema (2020-12) that our schemas use. */
export interface JsonSchema {
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer';
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly items?: JsonSchema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: false;
  readonly allOf?: readonly JsonSchema[];
  readonly if?: JsonSchema;
  readonly then?: JsonSchema;
}

type Check = (value: unknown, schema: JsonSchema) => string | false;

const ANNOTATIONS = ['$schema', 'title', 'description'];
/** Looked at by the walk itself. */
const APPLICATORS = ['items', 'properties', 'allOf', 'if', 'then'];
const CHECKS: Readonly<Record<string, Check>> = {
  type: (value, { type }) => typeOf(value, type) !== type && `is no ${type}`,
  enum: (value, schema) => !schema.enum!.includes(value) && 'is none of the values',
  const: (value, schema) => value !== schema.const && 'is not the value',
  pattern: (value, { pattern }) => !new RegExp(pattern!, 'u').test(String(value)) && 'does not match',
  minLength: (value, { minLength }) => [...String(value)].length < minLength! && 'is too short',
  maxLength: (value, { maxLength }) => [...String(value)].length > maxLength! && 'is too long',
  minimum: (value, { minimum }) => Number(value) < minimum! && 'is too small',
  maximum: (value, { maximum }) => Number(value) > maximum! && 'is too large',
  maxItems: (value, { maxItems }) => (value as unknown[]).length > maxItems! && 'has too many items',
  required: (value, { required }) =>
    required!.some((name) => !Object.hasOwn(value as object, name)) && 'lacks a member',
  additionalProperties: (value, { properties = {} }) =>
    Object.keys(value as object).some((name) => !Object.hasOwn(properties, name)) && 'has an unknown member',
};

/** What is wrong with the value, by its place; empty where nothing is. @throws TypeError for a keyword not known here */
export function schemaFaults(value: unknown, schema: JsonSchema, place = '$'): string[] {
  for (const keyword of Object.keys(schema)) {
    const known = Object.hasOwn(CHECKS, keyword) || APPLICATORS.includes(keyword) || ANNOTATIONS.includes(keyword);
    if (!known) throw new TypeError(`${keyword} is no keyword known here`);
  }
  const faults = Object.entries(CHECKS)
    .filter(([keyword]) => Object.hasOwn(schema, keyword))
    .map(([, check]) => check(value, schema))
    .filter((fault) => fault !== false)
    .map((fault) => `${place} ${fault}`);
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const members = value as Record<string, unknown>;
    if (Object.hasOwn(members, name)) faults.push(...schemaFaults(members[name], inner, `${place}.${name}`));
  }
  if (schema.items !== undefined) {
    for (const item of value as unknown[]) faults.push(...schemaFaults(item, schema.items, `${place}[]`));
  }
  for (const part of schema.allOf ?? []) faults.push(...schemaFaults(value, part, place));
  if (schema.if !== undefined && schemaFaults(value, schema.if).length === 0) {
    faults.push(...schemaFaults(value, schema.then ?? {}, place));
  }
  return faults;
}

function typeOf(value: unknown, wanted: JsonSchema['type']): string {
  if (Array.isArray(value)) return 'array';
  if (wanted === 'integer' && Number.isSafeInteger(value)) return 'integer';
  return value === null ? 'null' : typeof value;
}
