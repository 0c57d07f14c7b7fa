import * as v from 'valibot';
import { plainReference, secretReference } from './secret-reference.js';

const text = (description: string) => v.optional(v.pipe(v.string(), v.description(description)));
const texts = (description: string) => v.optional(v.pipe(v.array(v.string()), v.description(description)));
const count = (description: string) =>
  v.optional(
    v.pipe(
      v.number(),
      v.safeInteger('is no whole number; give one'),
      v.minValue(1, 'is below 1; give at least 1'),
      v.description(description),
    ),
  );
const parameters = (description: string) =>
  v.optional(v.pipe(v.record(v.string(), v.string()), v.description(description)));
const secret = (description: string) => v.optional(v.pipe(secretReference, v.description(description)));

const clientAuthentication = v.optional(
  v.pipe(
    v.picklist(
      ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
      'is no way to authenticate; choose client_secret_basic, client_secret_post, private_key_jwt or none',
    ),
    v.description('Default by what is given: `client_secret_basic`, `private_key_jwt`, else `none`.'),
  ),
);
/** Of whatever has endpoints that are asked. */
export const allowPrivateNetwork = v.optional(
  v.pipe(
    v.union([v.boolean(), v.array(v.string())], 'is neither true, false nor a list; give CIDR blocks'),
    v.description('Whether its endpoints may be on private addresses, loopback among them.'),
  ),
);

/** What a client of an authorization server is made of, whatever the grant. */
export const oauthClientMembers = {
  headerName: text('Default `Authorization`.'),
  scheme: text('Default `Bearer`.'),
  issuer: text('Its metadata is fetched, and must name this very issuer. This or `tokenEndpoint`.'),
  tokenEndpoint: text('https, or http on loopback.'),
  clientId: v.pipe(v.string(), v.description('Who the gateway is there.')),
  clientAuthentication,
  clientSecret: secret('Where the client’s secret is kept.'),
  privateKey: secret('Where the client’s private key is kept: PEM, or a JWK.'),
  keyId: text('`kid` of what the key signs.'),
  certificate: v.optional(
    v.pipe(plainReference, v.description('Where the key’s certificate is kept, PEM: gives `x5t` and `x5t#S256`.')),
  ),
  algorithm: v.optional(
    v.pipe(
      v.picklist(
        ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
        'is no algorithm that signs assertions; choose RS256, PS256, ES256 or EdDSA, or leave it out',
      ),
      v.description('What the key signs with. Default by the key.'),
    ),
  ),
  assertionAudience: text('`aud` of client assertions. Default the issuer, else the token endpoint.'),
  scopes: texts('What is asked for.'),
  scopeSeparator: v.optional(
    v.pipe(
      v.picklist([' ', ','], 'is no separator; give a space or a comma'),
      v.description('Between scopes. Default a space.'),
    ),
  ),
  audience: text('`audience`, where the server wants one.'),
  resource: v.optional(
    v.pipe(v.union([v.string(), v.array(v.string())]), v.description('Resource indicators (RFC 8707).')),
  ),
  extraParameters: parameters('Parameters of the vendor’s own for the token endpoint.'),
  tokenTypes: texts('Values of `token_type` taken as bearer tokens, besides `Bearer`.'),
  tokenMember: text('The member of the answer that holds the tokens.'),
  assumedLifetimeSeconds: count('How long a token lives where the answer does not say. Default 600.'),
  allowPrivateNetwork,
  timeoutMs: count('For all that one token costs. Default 5,000.'),
};

/** What a machine’s token takes beside. */
export const clientCredentialsMembers = {
  ...oauthClientMembers,
  grant: v.optional(
    v.pipe(
      v.picklist(
        ['client_credentials', 'jwt_bearer', 'github_app'],
        'is no grant; choose client_credentials, jwt_bearer or github_app',
      ),
      v.description('How the token is asked for. Default `client_credentials`.'),
    ),
  ),
  assertion: v.optional(
    v.pipe(
      v.strictObject({
        issuer: text('`iss`. Default the client id.'),
        subject: text('`sub`. Default the issuer.'),
        audience: text('`aud`. Default the issuer of the server, else its token endpoint.'),
        lifetimeSeconds: count('Default 60.'),
        claims: v.optional(v.pipe(v.record(v.string(), v.unknown()), v.description('Claims of the vendor’s own.'))),
        scopeInAssertion: v.optional(
          v.pipe(v.boolean(), v.description('Scopes stand in the assertion and not in the form.')),
        ),
      }),
      v.description('Of grant `jwt_bearer`.'),
    ),
  ),
  installationId: text('Of grant `github_app`.'),
};

/** What connected accounts take beside. */
export const authorizationCodeMembers = {
  ...oauthClientMembers,
  title: text('What the connect page calls the upstream. Default the id.'),
  authorizationEndpoint: text('Where there is no `issuer`, or instead of what its metadata say.'),
  revocationEndpoint: text('Likewise.'),
  authorizationParameters: parameters('Parameters of the vendor’s own for the authorization request.'),
  scopeParameter: text('The parameter that scopes are asked for with. Default `scope`.'),
  shared: v.optional(
    v.pipe(v.boolean(), v.description('Whether a shared connection may serve subjects without their own.')),
  ),
  redirectUri: text('To the character. Default `<connect.publicUrl>/connect/callback/<name>`.'),
};

/** Where people connect accounts, and sign in for it. */
export const connectSchema = v.strictObject({
  publicUrl: text('Where browsers reach the token service, which hosts the connect pages. Default its issuer.'),
  signIn: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          issuer: v.pipe(v.string(), v.description('The issuer of the mandates whose subjects sign in here.')),
          at: text('The OpenID provider. Default the issuer.'),
          clientId: v.pipe(v.string(), v.description('Who the connect pages are there.')),
          clientAuthentication,
          clientSecret: secret('Where the client’s secret is kept.'),
          privateKey: secret('Where the client’s private key is kept.'),
          scopes: texts('Default `openid`.'),
          subjectClaim: text(
            'The claim of the ID token that is the mandate’s `sub`. Default `sub`. `email` counts only with `email_verified`.',
          ),
          allowPrivateNetwork,
          redirectUri: text('To the character. Default `<publicUrl>/connect/signed-in/<host>`.'),
        }),
      ),
      v.description('By OpenID Connect. Subjects of other issuers connect by an invitation alone.'),
    ),
    [],
  ),
});
