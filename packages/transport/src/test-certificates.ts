import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const OPENSSL = process.env.OPENSSL ?? 'openssl';

/** A certificate and its key, PEM. */
interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority and what it has signed, made for one test run. */
export interface TestCertificates {
  readonly ca: string;
  /** For `upstream.example`. */
  readonly named: TestCertificate;
  /** For `127.0.0.1`. */
  readonly addressed: TestCertificate;
  /** For `upstream.example`, signed by nobody else. */
  readonly selfSigned: TestCertificate;
}

/** Makes certificates with the `openssl` command: nothing that looks like a key is ever committed. */
export function testCertificates(): TestCertificates {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-tls-'));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    execFileSync(OPENSSL, args, { cwd: folder, stdio: 'ignore' });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const signed = (name: string, subject: string, issuer?: string): TestCertificate => {
    writeFileSync(file(`${name}.ext`), `subjectAltName=${subject}\n`);
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const signer =
      issuer === undefined
        ? ['-signkey', `${name}.key`]
        : ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`, '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...signer,
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.crt`,
    );
    return { cert: readFileSync(file(`${name}.crt`), 'utf8'), key: readFileSync(file(`${name}.key`), 'utf8') };
  };
  try {
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-days',
      '2',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-subj',
      '/CN=Test authority',
    );
    return {
      ca: readFileSync(file('ca.crt'), 'utf8'),
      named: signed('named', 'DNS:upstream.example', 'ca'),
      addressed: signed('addressed', 'IP:127.0.0.1', 'ca'),
      selfSigned: signed('self', 'DNS:upstream.example'),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
