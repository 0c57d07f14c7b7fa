import { refuseUnknownOptions } from '../option-checks.js';
import { headerCredential, MAX_CREDENTIAL_LENGTH, unusableText } from './credential.js';
import type { Provider } from './provider.js';
import { providerId, providerOrigins } from './provider-options.js';
import { secretCredentialProvider } from './secret-credential.js';
import { type SecretOption, secretSource } from './secret-source.js';

/** Options of {@link httpBasic}. `secret` is the password. */
export interface HttpBasicOptions extends SecretOption {
  readonly id: string;
  /** Without colon and control characters. May be empty: some APIs take a key as the password alone. */
  readonly username: string;
  /** Origins the password may go to; needed unless every upstream is loopback. */
  readonly origins?: readonly string[];
}

const KNOWN = ['id', 'username', 'secret', 'secrets', 'origins'];

/**
 * A provider that attaches user name and password, as UTF-8. A password with control characters is answered
 * `credential_unavailable`.
 *
 * @throws TypeError at creation. @see RFC 7617 section 2
 */
export function httpBasic(options: HttpBasicOptions): Provider {
  refuseUnknownOptions('httpBasic', options, KNOWN);
  const id = providerId('httpBasic', options.id);
  const origins = providerOrigins('httpBasic', options.origins);
  const username = userName(options.username);
  const place = { providerId: id, field: 'secret', origins: origins ?? [] };
  return secretCredentialProvider({
    id,
    kind: 'http_basic',
    origins,
    headerNames: ['Authorization'],
    source: secretSource('httpBasic', options, place),
    compose: (password) => {
      const unusable = unusableText(password);
      if (unusable !== undefined) return unusable;
      const pair = base64(`${username}:${password}`);
      // The pair is as good as the password, and cannot be found by looking for the password.
      return headerCredential('Authorization', `Basic ${pair}`, [password, pair]);
    },
  });
}

// The first colon ends the user name: with one in it, its rest would become part of the password.
function userName(username: unknown): string {
  const isText = typeof username === 'string' && username.length <= MAX_CREDENTIAL_LENGTH;
  if (!isText || username.includes(':') || (username !== '' && unusableText(username) !== undefined)) {
    throw new TypeError('httpBasic: username is a text without colon and control characters');
  }
  return username;
}

function base64(text: string): string {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
