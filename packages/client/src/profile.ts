import { environmentVariable, readTextFile } from './runtime.js';

/** Where an application's secret is: itself, or where it is read each time a mandate is minted. */
export type SecretPlace =
  | string
  | { readonly env: string }
  | { readonly file: string }
  | (() => string | Promise<string>);

/** One resource of a profile. */
export interface ProfileResource {
  readonly identifier: string;
  /** Base of its calls, where it has a mount; default the gateway's URL. */
  readonly url?: string;
}

/** What a client has to know: as `caracal profile` writes it, or as options. */
export interface Profile {
  /** `https://gateway.example`, may have a path. */
  readonly gatewayUrl: string;
  /** The whole token endpoint. Not needed where you give `mint`. */
  readonly tokenUrl?: string | undefined;
  readonly zone?: string | undefined;
  readonly applicationId?: string | undefined;
  readonly applicationSecret?: SecretPlace | undefined;
  readonly resources?: readonly ProfileResource[] | undefined;
}

/** The format of profile files that is read. */
export const PROFILE_FORMAT = 1;

/**
 * The profile of this process: the file that `path` (or `CARACAL_PROFILE`) names, and `CARACAL_*` variables, which
 * override its members.
 *
 * @throws TypeError that names what is missing, and the remedy
 */
export function readProfile(path = environmentVariable('CARACAL_PROFILE')): Profile {
  const file = path === undefined ? {} : profileFile(path);
  const resources = environmentVariable('CARACAL_RESOURCES')
    ?.split(',')
    .map((identifier) => file.resources?.find((known) => known.identifier === identifier) ?? { identifier });
  const gatewayUrl = environmentVariable('CARACAL_GATEWAY_URL') ?? file.gatewayUrl;
  if (gatewayUrl === undefined) {
    throw new TypeError(
      'createClient: no gateway is known; set CARACAL_GATEWAY_URL or CARACAL_PROFILE, or give gatewayUrl',
    );
  }
  return {
    gatewayUrl,
    tokenUrl: environmentVariable('CARACAL_TOKEN_URL') ?? file.tokenUrl,
    zone: environmentVariable('CARACAL_ZONE') ?? file.zone,
    applicationId: environmentVariable('CARACAL_APPLICATION_ID') ?? file.applicationId,
    applicationSecret: secretFromEnvironment() ?? file.applicationSecret,
    resources: resources ?? file.resources,
  };
}

/** Reads a secret from its place. One newline at the end of a file is not part of it. @throws TypeError without its value */
export async function revealSecret(place: SecretPlace): Promise<string> {
  if (typeof place === 'string') return place;
  if (typeof place === 'function') return place();
  if ('file' in place) return readTextFile(place.file).replace(/\r?\n$/, '');
  const secret = environmentVariable(place.env);
  if (secret === undefined) throw new TypeError(`the application's secret is not set: variable ${place.env}`);
  return secret;
}

function secretFromEnvironment(): SecretPlace | undefined {
  const secret = environmentVariable('CARACAL_APPLICATION_SECRET');
  const env = environmentVariable('CARACAL_APPLICATION_SECRET_ENV');
  const file = environmentVariable('CARACAL_APPLICATION_SECRET_FILE');
  if (secret !== undefined) return secret;
  if (env !== undefined) return { env };
  return file === undefined ? undefined : { file };
}

function profileFile(path: string): Partial<Profile> {
  let profile: Partial<Profile> & { caracalProfile?: unknown };
  try {
    profile = JSON.parse(readTextFile(path));
  } catch {
    // Neither the cause nor the text is passed on: the file may hold a secret.
    throw new TypeError(`createClient: the profile ${path} cannot be read as JSON`);
  }
  if (profile?.caracalProfile !== PROFILE_FORMAT) {
    throw new TypeError(
      `createClient: the profile ${path} is not of format ${PROFILE_FORMAT}; write it anew with caracal profile`,
    );
  }
  return profile;
}
