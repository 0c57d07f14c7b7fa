import * as v from 'valibot';
import { secretReference } from './secret-reference.js';

const id = v.pipe(
  v.string(),
  v.regex(/^[\x21-\x7e]{1,512}$/, 'is no id; use 1 to 512 visible ASCII characters, such as provider://billing'),
  v.description('How resources and records name it, such as `provider://billing`.'),
);
const origins = v.optional(
  v.pipe(
    v.array(v.string()),
    v.description(
      'Where the credential may go, such as `["https://billing.example"]`. Needed unless every upstream is on loopback.',
    ),
  ),
);
const secret = (of: string) => v.pipe(secretReference, v.description(`Where ${of} is kept.`));
const optionalText = (description: string) => v.optional(v.pipe(v.string(), v.description(description)));
const kind = <const Kind extends string>(name: Kind, description: string) =>
  v.pipe(v.literal(name), v.description(description));

/** One schema a provider kind; the factory of each stands in `providers/provider-kinds.ts`. */
export const providerSchemas = {
  none: v.strictObject({ id, kind: kind('none', 'Attaches nothing.') }),
  caracal_mandate: v.strictObject({
    id,
    kind: kind(
      'caracal_mandate',
      'A mandate made for the resource alone: the one presented where it is that, else one exchanged for it as `gateway.identity`.',
    ),
    origins,
  }),
  api_key: v.strictObject({
    id,
    kind: kind('api_key', 'A key in a header or a query parameter.'),
    headerName: optionalText('The header that carries the key. Give this or `queryParam`.'),
    queryParam: optionalText('The query parameter that carries the key. A URL gets into more logs than a header.'),
    scheme: optionalText('Stands before the key in the header: `Token <key>`.'),
    secret: secret('the key'),
    origins,
  }),
  bearer_token: v.strictObject({
    id,
    kind: kind('bearer_token', 'A long-lived token.'),
    headerName: optionalText('Default `Authorization`.'),
    scheme: optionalText('Default `Bearer`.'),
    secret: secret('the token'),
    origins,
  }),
  http_basic: v.strictObject({
    id,
    kind: kind('http_basic', 'User name and password.'),
    username: v.pipe(v.string(), v.description('Without a colon; may be empty.')),
    secret: secret('the password'),
    origins,
  }),
  oauth2_client_credentials: v.strictObject({
    id,
    kind: kind('oauth2_client_credentials', 'An access token of the gateway’s own, obtained and renewed by itself.'),
    grant: v.optional(
      v.pipe(
        v.picklist(
          ['client_credentials', 'jwt_bearer', 'github_app'],
          'is no grant; choose client_credentials, jwt_bearer or github_app',
        ),
        v.description('How the token is asked for. Default `client_credentials`.'),
      ),
    ),
    issuer: optionalText('Its metadata is fetched. Give this or `tokenEndpoint`.'),
    tokenEndpoint: optionalText('https, or http on loopback.'),
    clientId: v.pipe(v.string(), v.description('Who the gateway is there.')),
    clientAuthentication: v.optional(
      v.pipe(
        v.picklist(
          ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
          'is no method; choose client_secret_basic, client_secret_post, private_key_jwt or none',
        ),
        v.description('Default by what there is: a secret, a key, or neither.'),
      ),
    ),
    clientSecret: v.optional(secret('the client’s secret')),
    privateKey: v.optional(secret('the client’s private key (PEM, or a JWK)')),
    keyId: optionalText('`kid` of assertions.'),
    algorithm: v.optional(
      v.pipe(
        v.picklist(
          ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'],
          'is no algorithm; choose RS256, PS256, ES256, ES384, ES512 or EdDSA',
        ),
        v.description('Of assertions. Default by the key.'),
      ),
    ),
    assertionAudience: optionalText('`aud` of client assertions. Default the issuer, else the token endpoint.'),
    assertion: v.optional(
      v.pipe(
        v.strictObject({
          issuer: v.optional(v.string()),
          subject: v.optional(v.string()),
          audience: v.optional(v.string()),
          lifetimeSeconds: v.optional(v.number()),
          claims: v.optional(v.record(v.string(), v.unknown())),
          scopeInAssertion: v.optional(v.boolean()),
        }),
        v.description('Of grant `jwt_bearer`.'),
      ),
    ),
    installationId: optionalText('Of grant `github_app`.'),
    scopes: v.optional(v.pipe(v.array(v.string()), v.description('What is asked for.'))),
    scopeSeparator: v.optional(
      v.pipe(v.picklist([' ', ','], 'is no separator; choose " " or ","'), v.description('Default one space.')),
    ),
    audience: optionalText('Which API the token is for, where the server wants to know.'),
    resource: v.optional(
      v.pipe(
        v.union([v.string(), v.array(v.string())], 'is no resource; give a URI or a list of them'),
        v.description('The same by RFC 8707.'),
      ),
    ),
    extraParameters: v.optional(
      v.pipe(v.record(v.string(), v.string()), v.description('Parameters of the vendor’s own.')),
    ),
    tokenTypes: v.optional(
      v.pipe(v.array(v.string()), v.description('Values of `token_type` taken as bearer tokens besides `Bearer`.')),
    ),
    tokenMember: optionalText('The member of the answer that holds the token.'),
    assumedLifetimeSeconds: v.optional(v.pipe(v.number(), v.description('Where the answer says none. Default 600.'))),
    allowPrivateNetwork: v.optional(
      v.pipe(
        v.union([v.boolean(), v.array(v.string())], 'is neither true, false nor a list; give CIDR blocks'),
        v.description('Whether the endpoints may be on private addresses.'),
      ),
    ),
    timeoutMs: v.optional(v.pipe(v.number(), v.description('For everything one token costs. Default 5,000.'))),
    headerName: optionalText('Default `Authorization`.'),
    scheme: optionalText('Default `Bearer`.'),
    origins,
  }),
};

/** A provider of any kind. */
export const providerSchema = v.variant(
  'kind',
  [
    providerSchemas.none,
    providerSchemas.caracal_mandate,
    providerSchemas.api_key,
    providerSchemas.bearer_token,
    providerSchemas.http_basic,
    providerSchemas.oauth2_client_credentials,
  ],
  `is no kind of provider; choose ${Object.keys(providerSchemas).join(', ')}`,
);
