import { decodeEscapes } from '../syntax/percent.js';

/** Characters of base64 below which a match says nothing: two or three occur in any text. */
const MIN_BASE64_LENGTH = 6;

/**
 * The texts by which a response header is found to hold a credential; make them once per credential.
 *
 * For each secret: itself, as characters and as UTF-8 bytes (latin1), with `+` for its spaces, and in base64. Inside
 * a longer text a secret begins at one of three places of a base64 group, so there are three spellings, each
 * without the characters it shares with its neighbours, in both alphabets. A base64 spelling under 6 characters is left
 * out. Percent-encoding has no spelling of its own here: {@link holdsCredential} decodes.
 *
 * @param secrets As in `Credential.secrets`; empty ones are left out.
 */
export function credentialNeedles(secrets: readonly string[]): string[] {
  const needles = new Set<string>();
  for (const secret of secrets) {
    if (secret === '') continue;
    const bytes = new TextEncoder().encode(secret);
    needles.add(secret).add(latin1(bytes)).add(secret.replaceAll(' ', '+'));
    for (let offset = 0; offset < 3; offset++) {
      const spelling = embeddedBase64(bytes, offset);
      if (spelling.length < MIN_BASE64_LENGTH) continue;
      needles.add(spelling).add(spelling.replaceAll('+', '-').replaceAll('/', '_'));
    }
  }
  return [...needles];
}

/** Whether the text holds one of the needles, as it stands or percent-decoded. */
export function holdsCredential(text: string, needles: readonly string[]): boolean {
  if (holdsOne(text, needles)) return true;
  return text.includes('%') && holdsOne(decodeEscapes(text), needles);
}

function holdsOne(text: string, needles: readonly string[]): boolean {
  for (const needle of needles) if (text.includes(needle)) return true;
  return false;
}

// Base64 of the bytes as they look when `offset` other bytes come before them: without the first characters, which
// depend on those, and without a last one that depends on what follows.
function embeddedBase64(bytes: Uint8Array, offset: number): string {
  const padded = new Uint8Array(offset + bytes.length);
  padded.set(bytes, offset);
  const encoded = btoa(latin1(padded));
  return encoded.slice(Math.ceil((offset * 8) / 6), Math.floor((padded.length * 8) / 6));
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
