import { createHmac } from 'node:crypto';
import { base64url, type Claims, createTestIssuer, type TestIssuer } from '../issuer.js';

/** Makes one mandate that has to be refused. `good` are claims that would be accepted. */
export type MintWrong = (issuer: TestIssuer, good: Claims) => Promise<string>;

type Table = readonly (readonly [what: string, mint: MintWrong])[];

/** Changes the segments of an otherwise good mandate. */
function reshaped(change: (header: string, payload: string, signature: string) => string): MintWrong {
  return async (issuer, good) => {
    const [header = '', payload = '', signature = ''] = (await issuer.mint(good)).split('.');
    return change(header, payload, signature);
  };
}

/** Signs an otherwise good mandate with another header. */
function header(overrides: Claims): MintWrong {
  return (issuer, good) => issuer.mint(good, overrides);
}

/** Signs other claims. */
function claims(overrides: (now: number) => Claims): MintWrong {
  return (issuer, good) => issuer.mint({ ...good, ...overrides(Math.floor(Date.now() / 1000)) });
}

/** Signs a payload that is no usual JSON object. */
function payload(make: (json: string) => string | Uint8Array): MintWrong {
  return (issuer, good) => issuer.sign(headerOf(issuer), make(JSON.stringify(issuer.claims(good))));
}

function headerOf(issuer: TestIssuer): string {
  return JSON.stringify({ alg: issuer.algorithm, kid: issuer.kid, typ: 'at+jwt' });
}

/** The next character of the alphabet differs in the last bit, which most last characters do not use. */
function respelled(segment: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return segment.slice(0, -1) + alphabet[alphabet.indexOf(segment.at(-1)!) ^ 1]!;
}

async function hmacWithPublicKey(issuer: TestIssuer, good: Claims): Promise<string> {
  const [key] = issuer.jwks().keys;
  const text = JSON.stringify({ alg: 'HS256', kid: issuer.kid, typ: 'at+jwt' });
  const input = `${base64url(text)}.${base64url(JSON.stringify(issuer.claims(good)))}`;
  return `${input}.${createHmac('sha256', JSON.stringify(key)).update(input).digest('base64url')}`;
}

async function signedByOwnKeyInHeader(issuer: TestIssuer, good: Claims): Promise<string> {
  const forger = await createTestIssuer({ issuer: issuer.issuer, kid: 'forged' });
  return forger.mint(good, { jwk: forger.jwks().keys[0], jku: 'http://127.0.0.1:1/jwks', kid: 'forged' });
}

/** What is wrong with the text or the signature. */
export const WRONG_TEXTS: Table = [
  ['one segment', reshaped((head) => head)],
  ['two segments', reshaped((head, body) => `${head}.${body}`)],
  ['four segments', reshaped((head, body, signature) => `${head}.${body}.${signature}.${signature}`)],
  ['five segments', reshaped((head, body, signature) => `${head}.${body}.${signature}.${body}.${signature}`)],
  ['an empty header', reshaped((_, body, signature) => `.${body}.${signature}`)],
  ['an empty payload', reshaped((head, _, signature) => `${head}..${signature}`)],
  ['no signature', reshaped((head, body) => `${head}.${body}.`)],
  ['a signature of zeros', reshaped((head, body) => `${head}.${body}.${base64url(new Uint8Array(64))}`)],
  ['a signature cut short', reshaped((head, body, signature) => `${head}.${body}.${signature.slice(0, -4)}`)],
  ['a signature of another payload', reshaped((head, body, signature) => `${head}.${respelled(body)}.${signature}`)],
  ['padding', reshaped((head, body, signature) => `${head}.${body}.${signature}==`)],
  [
    'a signature that does not re-encode to itself',
    reshaped((head, body, signature) => `${head}.${body}.${respelled(signature)}`),
  ],
  ['the alphabet of plain base64', reshaped((head, body, signature) => `${head}.${body}.${signature.slice(0, -1)}+`)],
  ['more than 8192 characters', (issuer, good) => issuer.mint({ ...good, filler: 'f'.repeat(7_000) })],
  ['a payload that is no JSON', payload((json) => json.slice(1))],
  ['a payload that is an array', payload((json) => `[${json}]`)],
  ['a payload that is null', payload(() => 'null')],
  ['a payload that is a text', payload((json) => JSON.stringify(json))],
  ['a payload with two JSON values', payload((json) => `${json}${json}`)],
  ['a payload that is not UTF-8', payload((json) => Buffer.from(json.replace('test-user', 'test-\xff'), 'latin1'))],
  ['a header that is an array', (issuer, good) => issuer.sign('[]', JSON.stringify(issuer.claims(good)))],
  ['a header that is no JSON', (issuer, good) => issuer.sign('{', JSON.stringify(issuer.claims(good)))],
];

/** What is wrong with the key or the header. */
export const WRONG_HEADERS: Table = [
  [
    'alg none and no signature',
    async (issuer, good) => {
      const text = JSON.stringify({ alg: 'none', kid: issuer.kid, typ: 'at+jwt' });
      return `${base64url(text)}.${base64url(JSON.stringify(issuer.claims(good)))}.`;
    },
  ],
  ['alg none', header({ alg: 'none' })],
  ['alg nOnE', header({ alg: 'nOnE' })],
  ['an HMAC with the public key as the secret', hmacWithPublicKey],
  ['alg ES384', header({ alg: 'ES384' })],
  ['alg EdDSA on a key for ES256', header({ alg: 'EdDSA' })],
  ['alg in lower case', header({ alg: 'es256' })],
  ['alg that is no text', header({ alg: ['ES256'] })],
  ['no alg', header({ alg: undefined })],
  ['no kid', header({ kid: undefined })],
  ['an empty kid', header({ kid: '' })],
  ['an unknown kid', header({ kid: 'unknown' })],
  ['a kid that is a path', header({ kid: '../../dev/null' })],
  ['a kid of 257 characters', header({ kid: 'k'.repeat(257) })],
  ['a kid that is no text', header({ kid: 1 })],
  ['no typ', header({ typ: undefined })],
  ['typ dpop+jwt', header({ typ: 'dpop+jwt' })],
  ['typ secevent+jwt', header({ typ: 'secevent+jwt' })],
  ['typ logout+jwt', header({ typ: 'logout+jwt' })],
  ['typ that is no text', header({ typ: true })],
  ['an extension that is critical and unknown', header({ crit: ['x-unknown'], 'x-unknown': true })],
  ['an unencoded payload', header({ crit: ['b64'], b64: false })],
  ['an empty crit', header({ crit: [] })],
  ['another key in its own header', signedByOwnKeyInHeader],
];

const REQUIRED = [
  'iss',
  'sub',
  'aud',
  'exp',
  'iat',
  'jti',
  'zone_id',
  'client_id',
  'use',
  'sid',
  'root_sid',
  'sub_type',
  'target',
];
const IDENTIFIERS = ['sub', 'jti', 'client_id', 'sid', 'root_sid'];
const DAY = 24 * 60 * 60;

/** What is wrong with the claims of profile `caracal`. */
export const WRONG_CLAIMS: Table = [
  ...REQUIRED.map((claim) => [`no ${claim}`, claims(() => ({ [claim]: undefined }))] as const),
  ...REQUIRED.map((claim) => [`${claim} null`, claims(() => ({ [claim]: null }))] as const),
  ...IDENTIFIERS.flatMap((claim) => [
    [`an empty ${claim}`, claims(() => ({ [claim]: '' }))] as const,
    [`${claim} that is a number`, claims(() => ({ [claim]: 7 }))] as const,
    [`${claim} of 513 characters`, claims(() => ({ [claim]: 'i'.repeat(513) }))] as const,
    [`a control character in ${claim}`, claims(() => ({ [claim]: 'a\nb' }))] as const,
    [`a lone surrogate in ${claim}`, claims(() => ({ [claim]: 'a\ud800' }))] as const,
  ]),
  ['exp in the past', claims((now) => ({ exp: now - 1 }))],
  ['exp in the past by less than usual skews', claims((now) => ({ exp: now - 5 }))],
  ['exp that is a text', claims((now) => ({ exp: String(now + 300) }))],
  ['exp in milliseconds', claims((now) => ({ exp: (now + 300) * 1_000 }))],
  ['exp beyond all numbers', payload((json) => json.replace(/"exp":\d+/, '"exp":1e999'))],
  ['iat that is a text', claims((now) => ({ iat: String(now) }))],
  ['iat more than 60 s ahead', claims((now) => ({ iat: now + 120, exp: now + 300 }))],
  ['nbf more than 60 s ahead', claims((now) => ({ nbf: now + 120 }))],
  ['nbf that is a text', claims((now) => ({ nbf: String(now) }))],
  ['a life of more than 24 hours', claims((now) => ({ iat: now, exp: now + DAY + 1 }))],
  ['another zone', claims(() => ({ zone_id: 'elsewhere' }))],
  ['a zone with a slash', claims(() => ({ zone_id: 'default/x' }))],
  ['a client_id with a blank', claims(() => ({ client_id: 'test agent' }))],
  ['a client_id of 129 characters', claims(() => ({ client_id: 'c'.repeat(129) }))],
  ['an issuer nobody trusts', claims(() => ({ iss: 'https://stranger.test' }))],
  ['an issuer with a slash more', claims(() => ({ iss: 'https://issuer.test/' }))],
  ['an issuer in upper case', claims(() => ({ iss: 'https://ISSUER.test' }))],
  ['an issuer that is a list', claims(() => ({ iss: ['https://issuer.test'] }))],
  ['an audience of another issuer', claims(() => ({ aud: 'https://eddsa.test' }))],
  ['an audience that is the resource, for use gateway', claims(() => ({ aud: 'resource://echo' }))],
  ['an empty list as audience', claims(() => ({ aud: [] }))],
  ['use session', claims(() => ({ use: 'session' }))],
  ['an unknown use', claims(() => ({ use: 'anything' }))],
  ['use resource with the issuer as audience', claims(() => ({ use: 'resource' }))],
  ['use resource with two audiences', claims(() => ({ use: 'resource', aud: ['resource://echo', 'resource://root'] }))],
  ['an unknown sub_type', claims(() => ({ sub_type: 'robot' }))],
  ['a target that is a text', claims(() => ({ target: 'resource://echo' }))],
  ['a target with a number', claims(() => ({ target: ['resource://echo', 1] }))],
  ['a scope that is a list', claims(() => ({ scope: ['a'] }))],
  ['a confirmation claim', claims(() => ({ cnf: { jkt: 'a'.repeat(43) } }))],
  ['an agent session that is a number', claims(() => ({ agent_session_id: 1 }))],
  [
    'a delegation path that is a text',
    claims(() => ({ delegation_edge_id: 'e1', delegation_path: 'e1', hop_count: 1 })),
  ],
  [
    'a hop count other than the length of the path',
    claims(() => ({ delegation_edge_id: 'e1', delegation_path: ['e1'], hop_count: 0 })),
  ],
  ['a delegation chain that is no list', claims(() => ({ delegation_chain: { application_id: 'a' } }))],
];
