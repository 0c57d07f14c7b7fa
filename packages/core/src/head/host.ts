import { allIn, alphanumericAnd, byteClass } from '../syntax/byte-class.js';

const NAME_CHAR = alphanumericAnd('-._~');
const LITERAL_CHAR = byteClass((byte) => '0123456789abcdefABCDEF:.'.includes(String.fromCharCode(byte)));
const DIGIT = byteClass((byte) => byte >= 0x30 && byte <= 0x39);

const MAX_HOST_LENGTH = 255;
const MAX_PORT = 65_535;

/**
 * Whether the text is `uri-host [":" port]`: a name, an IPv4 address, or a bracketed IPv6 address.
 *
 * Narrower than RFC 3986: no percent-encoding and no `! $ & ' ( ) * + , ; =`, which no DNS name has and which would
 * break out of a `Forwarded` element or a list of values; no IPvFuture, no zone id, no empty port.
 *
 * @see RFC 9110 section 7.2
 */
export function isHost(text: string): boolean {
  const nameLength = hostName(text).length;
  if (nameLength === 0 || nameLength > MAX_HOST_LENGTH) return false;
  if (nameLength < text.length && !isPort(text.slice(nameLength + 1))) return false;
  const name = text.slice(0, nameLength);
  return name.startsWith('[') ? isBracketed(name) : allIn(name, NAME_CHAR);
}

/** A host without its port; IPv6 brackets stay. */
export function hostName(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon > host.lastIndexOf(']') ? host.slice(0, colon) : host;
}

function isPort(text: string): boolean {
  return text !== '' && text.length <= 5 && allIn(text, DIGIT) && Number(text) <= MAX_PORT;
}

// Not a full IPv6 parser: this value is compared and shown, never dialled.
function isBracketed(name: string): boolean {
  const address = name.slice(1, -1);
  return name.endsWith(']') && address.length <= 45 && address.split(':').length >= 3 && allIn(address, LITERAL_CHAR);
}
