import * as v from 'valibot';
import { authorizationCodeMembers, clientCredentialsMembers } from './oauth-schema.js';
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
      'A mandate whose audience is the resource: the one presented if it is, else, with `gateway.identity`, one exchanged for it.',
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
    kind: kind('oauth2_client_credentials', 'An access token of the gateway’s own, obtained and renewed by OAuth.'),
    ...clientCredentialsMembers,
    origins,
  }),
  oauth2_authorization_code: v.strictObject({
    id,
    kind: kind(
      'oauth2_authorization_code',
      'The access token of the account that the mandate’s subject has connected.',
    ),
    ...authorizationCodeMembers,
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
    providerSchemas.oauth2_authorization_code,
  ],
  `is no kind of provider; choose ${Object.keys(providerSchemas).join(', ')}`,
);
