import { peerReader } from '@caracal/node';
import { isLocal, originOf, parseListen } from '../listen.js';
import type { ProblemPath } from '../problem.js';
import { type LocatedProblem, problemAt } from '../structure.js';
import { member, objectMember, textMember } from './loose.js';

const DEFAULTS = { gateway: '127.0.0.1:8081', tokenService: '127.0.0.1:8080', admin: '127.0.0.1:8082' } as const;
const NAMES = ['gateway', 'tokenService', 'admin'] as const;

/** What is wrong with where things listen and under which URLs they are reached. */
export function listenerProblems(input: unknown): LocatedProblem[] {
  return [
    ...sharedAddresses(input),
    ...adminProblems(input),
    ...issuerUrlProblems(input),
    ...originProblems(input),
    ...proxyProblems(input),
  ];
}

function addressOf(input: unknown, name: (typeof NAMES)[number]) {
  const listener = objectMember(input, name);
  if (listener === undefined && name !== 'gateway') return undefined;
  return parseListen(member(listener, 'listen') ?? DEFAULTS[name]);
}

function sharedAddresses(input: unknown): LocatedProblem[] {
  const seen = new Map<string, string>();
  const problems: LocatedProblem[] = [];
  for (const name of NAMES) {
    const address = addressOf(input, name);
    if (address === undefined || (address.kind === 'tcp' && address.port === 0)) continue;
    const key = originOf(address, false);
    const other = seen.get(key);
    if (other === undefined) seen.set(key, name);
    else problems.push(problemAt([name, 'listen'], `is where ${other} listens; give each an address of its own`));
  }
  return problems;
}

function adminProblems(input: unknown): LocatedProblem[] {
  const admin = objectMember(input, 'admin');
  const address = addressOf(input, 'admin');
  if (admin === undefined || address === undefined || isLocal(address) || admin.tls !== undefined) return [];
  return [
    problemAt(
      ['admin', 'listen'],
      'would send the admin token over the network in plain text; give admin.tls, or listen on loopback',
    ),
  ];
}

function issuerUrlProblems(input: unknown): LocatedProblem[] {
  const tokenService = objectMember(input, 'tokenService');
  const address = addressOf(input, 'tokenService');
  if (tokenService === undefined || address === undefined) return [];
  const issuer = textMember(tokenService, 'issuer');
  const secure = tokenService.tls !== undefined;
  const at: ProblemPath = ['tokenService', 'issuer'];
  if (issuer === undefined) {
    if (address.kind === 'unix')
      return [problemAt(at, 'is missing, and a socket in the file system is no URL; give it')];
    if (isLocal(address) || (secure && !isAnyAddress(address.host))) return [];
    return [problemAt(at, 'is missing, and cannot be told from listen; give the URL clients reach it at')];
  }
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (
    url === undefined ||
    issuer !== `${url.origin}${url.pathname === '/' ? '' : url.pathname}` ||
    issuer.endsWith('/')
  ) {
    return [problemAt(at, 'is no issuer; give a URL without trailing slash, query and fragment')];
  }
  if (url.protocol === 'https:') return [];
  const loopback = isLocal({ kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port: 0 });
  if (url.protocol !== 'http:' || !loopback) return [problemAt(at, 'is neither https nor on loopback; use https')];
  // Over http there is no proxy in between that could have another port.
  if (secure) return [problemAt(at, 'says http, and the listener has tls; write https')];
  if (address.kind === 'tcp' && address.port !== 0 && (url.port || '80') !== String(address.port)) {
    return [
      problemAt(at, `names another port than tokenService.listen; write port ${address.port}, or leave issuer out`),
    ];
  }
  return [];
}

function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function originProblems(input: unknown): LocatedProblem[] {
  const gateway = objectMember(input, 'gateway');
  const problems: LocatedProblem[] = [];
  const publicUrl = textMember(gateway, 'publicUrl');
  if (publicUrl !== undefined && publicUrl !== '' && !isOrigin(publicUrl)) {
    problems.push(
      problemAt(['gateway', 'publicUrl'], 'is no origin; give scheme, host and port, such as https://gateway.example'),
    );
  }
  const origins = member(objectMember(gateway, 'cors'), 'origins');
  for (const [index, origin] of (Array.isArray(origins) ? origins : []).entries()) {
    if (typeof origin !== 'string' || isOrigin(origin)) continue;
    problems.push(
      problemAt(
        ['gateway', 'cors', 'origins', index],
        'is no origin; give scheme, host and port, such as https://app.example',
      ),
    );
  }
  return problems;
}

function proxyProblems(input: unknown): LocatedProblem[] {
  return (['gateway', 'tokenService'] as const).flatMap((name) => {
    const proxies = member(objectMember(input, name), 'trustedProxies');
    return (Array.isArray(proxies) ? proxies : []).flatMap((proxy: unknown, index) => {
      try {
        peerReader([proxy as string]);
        return [];
      } catch {
        const text = 'is no address; give an IP address, a CIDR block, or unix';
        return [problemAt([name, 'trustedProxies', index], text)];
      }
    });
  });
}

function isOrigin(text: string): boolean {
  return /^https?:\/\/[^/?#@]+\/?$/.test(text) && URL.canParse(text);
}
