import { noCredential, type Provider } from '@caracal/core';
import type { DefineResource } from '@caracal/postgres';
import { isObject } from '../configuration/meaning/loose.js';
import { nearest } from '../configuration/nearest.js';

/** What a row may say of TLS: the name to verify, and the authority, as PEM. Keys are secrets, and files are the gateway's. */
const TLS_MEMBERS: readonly string[] = ['ca', 'serverName'];

/**
 * Makes definitions of the rows of the resource directory. A row names one of these providers by its id: credentials, and where
 * they may go, are the configuration's alone.
 */
export function rowDefinition(providers: ReadonlyMap<string, Provider>): DefineResource {
  return (document) => {
    if (!isObject(document)) throw new TypeError('is no object');
    const { provider, gatewayApplication, tls, ...members } = document;
    if (gatewayApplication !== undefined) {
      throw new TypeError(
        'gatewayApplication: belongs to resources of the configuration, whose token service knows them',
      );
    }
    return {
      ...members,
      ...(tls === undefined ? {} : { tls: checkedTls(tls) }),
      provider: provider === undefined ? noCredential() : providerNamed(provider, providers),
    };
  };
}

function providerNamed(id: unknown, providers: ReadonlyMap<string, Provider>): Provider {
  if (typeof id !== 'string') throw new TypeError('provider: is the id of one of providers of the configuration');
  const provider = providers.get(id);
  if (provider !== undefined) return provider;
  const meant = nearest(id, [...providers.keys()]);
  throw new TypeError(
    `provider: is not among providers of the configuration${meant === undefined ? '' : `; did you mean ${meant}?`}`,
  );
}

function checkedTls(tls: unknown): object {
  if (!isObject(tls)) throw new TypeError('tls: is no object');
  const other = Object.keys(tls).find((name) => !TLS_MEMBERS.includes(name));
  if (other !== undefined)
    throw new TypeError('tls: takes ca (PEM) and serverName here; keys belong to the configuration');
  return tls;
}
