import type { Admitted, Gateway } from '@caracal/core';
import { type ProtectOptions, protect } from '@caracal/fetch';
import { type DenoInfo, fetchInfo } from './deno-handler.js';

/**
 * Enforces inside a service behind `Deno.serve`: `handler` answers admitted requests, everything else is answered here. Under
 * `node:http` on Deno use `protect`.
 * @throws TypeError that names an unknown or wrong option
 */
export function denoProtect(
  gateway: Gateway,
  options: ProtectOptions,
  handler: (request: Request, admitted: Admitted) => Response | Promise<Response>,
): (request: Request, info: DenoInfo) => Promise<Response> {
  const guard = protect(gateway, options);
  return (request, info) => guard(request, handler, fetchInfo(info));
}
