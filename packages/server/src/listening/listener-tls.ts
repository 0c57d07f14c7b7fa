import type { Server } from 'node:http';
import { createSecureContext, type SecureContextOptions, Server as TlsServer } from 'node:tls';
import type { ListenerTlsConfiguration } from '../configuration/configuration.js';
import { ConfigurationError } from '../configuration/problem.js';
import { causeName } from '../log/fault-log.js';
import type { Log } from '../log/log.js';
import { readBoundedFile } from '../read-bounded-file.js';
import { watchFiles } from './file-watch.js';

/** What a listener says of itself with. Below TLS 1.2 nothing is spoken. */
export type Certificate = Required<Pick<SecureContextOptions, 'cert' | 'key' | 'minVersion'>>;

/** Largest PEM file, bytes: a chain of certificates has some 10 KiB. */
const MAX_PEM_BYTES = 1024 * 1024;

/** Reads a certificate and its key. @throws ConfigurationError where they cannot be had or do not belong together */
export async function readCertificate(name: string, { cert, key }: ListenerTlsConfiguration): Promise<Certificate> {
  const [certText, keyText] = await Promise.all([readPem(`${name}.tls.cert`, cert), readPem(`${name}.tls.key`, key)]);
  const certificate: Certificate = { cert: certText, key: keyText, minVersion: 'TLSv1.2' };
  try {
    createSecureContext(certificate);
  } catch {
    // Its text is OpenSSL's, and the files are named already.
    const fault = 'is no certificate and private key that belong together';
    throw new ConfigurationError([{ path: `${name}.tls`, fault, remedy: 'give PEM files of one key pair' }]);
  }
  return certificate;
}

async function readPem(path: string, file: string): Promise<string> {
  try {
    return (await readBoundedFile(file, MAX_PEM_BYTES)).toString('utf8');
  } catch (cause) {
    const fault = `cannot be read (${(cause as NodeJS.ErrnoException).code})`;
    throw new ConfigurationError([{ path, fault, remedy: `put a PEM file at ${file}` }]);
  }
}

/** A listener's certificate, read again when it changes or the configuration names another. */
export class CertificateReload {
  readonly #name: string;
  readonly #server: TlsServer;
  readonly #log: Log;
  #files: ListenerTlsConfiguration;
  #unwatch: () => void;

  constructor(name: string, server: Server, files: ListenerTlsConfiguration, log: Log) {
    if (!(server instanceof TlsServer)) throw new TypeError('only a listener with TLS has a certificate');
    this.#name = name;
    this.#server = server;
    this.#log = log;
    this.#files = files;
    this.#unwatch = this.#watch();
  }

  /** Puts a certificate into force for connections made from now on. */
  use(certificate: Certificate, files: ListenerTlsConfiguration): void {
    this.#server.setSecureContext(certificate);
    if (files.cert === this.#files.cert && files.key === this.#files.key) return;
    this.#files = files;
    this.#unwatch();
    this.#unwatch = this.#watch();
  }

  close(): void {
    this.#unwatch();
  }

  #watch(): () => void {
    return watchFiles([this.#files.cert, this.#files.key], () => void this.#reload());
  }

  // A bad pair changes nothing: one of the two may have been written and the other not yet.
  async #reload(): Promise<void> {
    const listener = this.#name;
    try {
      this.#server.setSecureContext(await readCertificate(this.#name, this.#files));
      this.#log({ level: 'info', event: 'certificate_reloaded', listener });
    } catch (cause) {
      const message = cause instanceof ConfigurationError ? cause.message : causeName(cause);
      this.#log({ level: 'error', event: 'certificate_kept', listener, message });
    }
  }
}
