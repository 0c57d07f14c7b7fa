/** @see RFC 8693 section 2.1 */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
/** @see RFC 6749 section 4.4 */
export const CLIENT_CREDENTIALS = 'client_credentials';
/** @see RFC 8693 section 3 */
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
/** @see RFC 8693 section 3 */
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';
/** @see RFC 7523 section 2.2 */
export const JWT_BEARER_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** How an application may authenticate. @see RFC 7591 section 2 */
export const CLIENT_AUTHENTICATION_METHODS: readonly string[] = Object.freeze([
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
]);
