import type { ParsedConfiguration } from './schema.js';

type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<Exclude<T[Key], undefined>> }
    : T;

/** A configuration that is in order: defaults filled in, paths absolute, frozen. */
export type Configuration = DeepReadonly<Omit<ParsedConfiguration, '$schema'>>;

export type GatewayConfiguration = Configuration['gateway'];
export type TokenServiceConfiguration = NonNullable<Configuration['tokenService']>;
export type AdminConfiguration = NonNullable<Configuration['admin']>;
export type ProviderConfiguration = Configuration['providers'][number];
export type ResourceConfiguration = Configuration['resources'][number];
export type ApplicationConfiguration = TokenServiceConfiguration['applications'][number];
export type ListenerTlsConfiguration = NonNullable<GatewayConfiguration['tls']>;
