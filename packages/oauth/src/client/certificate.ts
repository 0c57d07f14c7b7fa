import { createHash, X509Certificate } from 'node:crypto';

/**
 * The thumbprints by which Entra ID finds the certificate an assertion is signed for. SHA-1 names it here, and protects nothing.
 *
 * @throws TypeError for a text that is no certificate
 * @see RFC 7515 sections 4.1.7 and 4.1.8
 */
export function thumbprints(factory: string, pem: unknown): Readonly<Record<string, string>> | undefined {
  if (pem === undefined) return undefined;
  try {
    const { raw } = new X509Certificate(pem as string);
    return Object.freeze({ x5t: digest('sha1', raw), 'x5t#S256': digest('sha256', raw) });
  } catch {
    throw new TypeError(`${factory}: certificate is an X.509 certificate in PEM`);
  }
}

function digest(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest('base64url');
}
