import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { AddressPolicy } from '@caracal/core';

/** Nothing the name stands for, or the literal itself, may be dialled. Without addresses in its text. */
export class AddressNotAllowedError extends Error {
  override readonly name = 'AddressNotAllowedError';

  constructor() {
    super('no address of the upstream is allowed by its address policy');
  }
}

/**
 * A `lookup` for `net.connect` that answers only what the policy allows. The socket dials what this answers and looks
 * nothing up again, so a name that changes its answers (DNS rebinding) gains nothing.
 *
 * Not called by `net.connect` for literal addresses: the dial judges those itself.
 */
export function guardedLookup(lookup: LookupFunction, policy: AddressPolicy): LookupFunction {
  return (hostname, options, callback) => {
    // All of them, always: with one answer only, a name with an allowed and a refused address would be a matter of luck.
    lookup(hostname, { ...options, all: true }, (error, answer) => {
      if (error) {
        callback(error, []);
        return;
      }
      const allowed = Array.isArray(answer) ? answer.filter((entry) => policy.allows(entry.address)) : [];
      const first: LookupAddress | undefined = allowed[0];
      if (first === undefined) callback(new AddressNotAllowedError(), []);
      else if (options.all) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}
