import { type Denial, deny } from '../errors.js';
import { allIn, alphanumericAnd } from '../syntax/byte-class.js';
import { type JsonObject, own } from './json-object.js';

/** Longest identifier in a claim, UTF-16 code units. */
export const MAX_IDENTIFIER_LENGTH = 512;

/** Longest zone or application, characters. */
export const MAX_NAME_LENGTH = 128;

const NAME = alphanumericAnd('._:-');

/**
 * Whether the value is an identifier: 1 to {@link MAX_IDENTIFIER_LENGTH} characters, no C0 or C1 control characters, no
 * lone surrogates. Stores, logs and JSON can all hold such a text without changing it.
 */
export function isIdentifier(value: unknown): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > MAX_IDENTIFIER_LENGTH) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return false;
  }
  return value.isWellFormed();
}

/** Whether the value has the shape of a zone or application: `[A-Za-z0-9._:-]{1,128}`. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LENGTH && allIn(value, NAME);
}

/** The value as a list of at most `max` identifiers; `undefined` where it is anything else. */
export function identifierList(value: unknown, max: number): readonly string[] | undefined {
  return Array.isArray(value) && value.length <= max && value.every(isIdentifier)
    ? Object.freeze([...value])
    : undefined;
}

/**
 * A claim that must be an identifier. The reason of a refusal is `label` (the claim's own name unless given) with
 * `_missing` or `_invalid`: it is fixed text even where the name of the claim is an option.
 */
export function requiredIdentifier(claims: JsonObject, name: string, label = name): string | Denial {
  const value = own(claims, name);
  if (value === undefined) return deny('invalid_token', `${label}_missing`);
  return isIdentifier(value) ? value : deny('invalid_token', `${label}_invalid`);
}

/** A claim that may be absent and else must be an identifier. */
export function optionalIdentifier(claims: JsonObject, name: string, label = name): string | undefined | Denial {
  return own(claims, name) === undefined ? undefined : requiredIdentifier(claims, name, label);
}
