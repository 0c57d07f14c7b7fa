import { refuseUnknownOptions } from '../option-checks.js';
import { headerCredential, queryCredential, unusableHeaderValue, unusableText, unusableToken } from './credential.js';
import type { Provider } from './provider.js';
import { authenticationScheme, credentialHeaderName, providerId, providerOrigins } from './provider-options.js';
import { type SecretCredentialOptions, secretCredentialProvider } from './secret-credential.js';
import { type SecretOption, secretSource } from './secret-source.js';

/** Options of {@link apiKey}. Exactly one of `headerName` and `queryParam`. */
export interface ApiKeyOptions extends SecretOption {
  readonly id: string;
  readonly headerName?: string;
  /** Stands before the key in the header, `Token <key>`. Default none. */
  readonly scheme?: string;
  /** Name of the query parameter, as it is when decoded. A URL gets into more logs than a header: prefer `headerName`. */
  readonly queryParam?: string;
  /** Origins the key may go to; needed unless every upstream is loopback. */
  readonly origins?: readonly string[];
}

const KNOWN = ['id', 'secret', 'secrets', 'headerName', 'queryParam', 'scheme', 'origins'];
const MAX_PARAM_LENGTH = 128;

/**
 * A provider that attaches a key in a header or in a query parameter. A secret that cannot stand there is answered
 * `credential_unavailable`: in a header it is printable ASCII (after a scheme without spaces), in the query any text
 * without control characters.
 *
 * @throws TypeError at creation.
 */
export function apiKey(options: ApiKeyOptions): Provider {
  refuseUnknownOptions('apiKey', options, KNOWN);
  const id = providerId('apiKey', options.id);
  const origins = providerOrigins('apiKey', options.origins);
  const place = { providerId: id, field: 'secret', origins: origins ?? [] };
  const source = secretSource('apiKey', options, place);
  return secretCredentialProvider({ id, kind: 'api_key', origins, source, ...placement(options) });
}

type Placement = Pick<SecretCredentialOptions, 'headerNames' | 'compose'>;

function placement({ headerName, queryParam, scheme }: ApiKeyOptions): Placement {
  if ((headerName === undefined) === (queryParam === undefined)) {
    throw new TypeError('apiKey: give either headerName or queryParam');
  }
  if (headerName !== undefined) return inHeader(credentialHeaderName('apiKey', headerName), scheme);
  if (scheme !== undefined) throw new TypeError('apiKey: scheme goes with headerName, not with queryParam');
  return inQuery(queryParam);
}

function inHeader(name: string, scheme: string | undefined): Placement {
  const headerNames = [name];
  if (scheme === undefined) {
    return {
      headerNames,
      compose: (secret) => unusableHeaderValue(secret) ?? headerCredential(name, secret, [secret]),
    };
  }
  const prefix = authenticationScheme('apiKey', scheme);
  return {
    headerNames,
    compose: (secret) => unusableToken(secret) ?? headerCredential(name, `${prefix} ${secret}`, [secret]),
  };
}

function inQuery(name: unknown): Placement {
  if (typeof name !== 'string' || name.length > MAX_PARAM_LENGTH || unusableText(name) !== undefined) {
    throw new TypeError(`apiKey: queryParam is a text of 1 to ${MAX_PARAM_LENGTH} characters, none of them a control`);
  }
  return { headerNames: [], compose: (secret) => unusableText(secret) ?? queryCredential(name, secret) };
}
