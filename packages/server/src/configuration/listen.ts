import { isIP } from 'node:net';

/** Where a listener listens. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

const DEFAULT_HOST = '127.0.0.1';
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

/**
 * Reads `listen`: `127.0.0.1:8081`, `[::1]:8081`, `gateway.internal:8081`, a port alone (on loopback), or `unix:/run/caracal.sock`.
 * Port 0 is one the system chooses. `undefined` where it is none of these.
 */
export function parseListen(listen: unknown): ListenAddress | undefined {
  if (typeof listen === 'number') return isPort(listen) ? tcp(DEFAULT_HOST, listen) : undefined;
  if (typeof listen !== 'string') return undefined;
  if (listen.startsWith('unix:')) {
    const path = listen.slice('unix:'.length);
    return path === '' || path.includes('\0') ? undefined : { kind: 'unix', path };
  }
  const [, bracketed, plain, digits] = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(listen) ?? [];
  if (digits === undefined || !isPort(Number(digits))) return undefined;
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? tcp(bracketed, Number(digits)) : undefined;
  // `:8081` means every address elsewhere; here nothing listens beyond loopback by an omission.
  if (plain === undefined) return tcp(DEFAULT_HOST, Number(digits));
  return HOST_NAME.test(plain) ? tcp(plain, Number(digits)) : undefined;
}

/** Whether only processes of this machine can reach it. */
export function isLocal(address: ListenAddress): boolean {
  if (address.kind === 'unix') return true;
  return address.host === 'localhost' || address.host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(address.host);
}

/** The origin a client on this machine uses, at the port that was bound. */
export function originOf(address: ListenAddress, secure: boolean, port?: number): string {
  const scheme = secure ? 'https' : 'http';
  if (address.kind === 'unix') return `${scheme}+unix:${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${scheme}://${host}:${port ?? address.port}`;
}

function tcp(host: string, port: number): ListenAddress {
  return { kind: 'tcp', host, port };
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535;
}
