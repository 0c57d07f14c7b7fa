import type { Configuration } from '../configuration/configuration.js';
import { wrongUse } from '../frame/command-error.js';
import { type LocalListener, localOrigin } from './local-request.js';

/** Where callers reach the gateway. @throws CommandError where the configuration cannot tell */
export function gatewayUrl({ gateway }: Configuration): string {
  return (gateway.publicUrl ?? requiredOrigin('gateway', 'gateway.publicUrl', gateway)).replace(/\/$/, '');
}

/** The issuer of the token service, which clients reach it at. @throws CommandError where the configuration cannot tell */
export function tokenServiceIssuer({ tokenService }: Configuration): string {
  if (tokenService === undefined) throw wrongUse('the configuration has no tokenService');
  return tokenService.issuer ?? requiredOrigin('tokenService', 'tokenService.issuer', tokenService);
}

function requiredOrigin(name: string, member: string, listener: LocalListener): string {
  const origin = localOrigin(listener);
  if (origin === undefined) {
    throw wrongUse(
      `${name}.listen leaves the port to the system, so nobody can tell its URL; give ${member}, or a port`,
    );
  }
  return origin;
}
