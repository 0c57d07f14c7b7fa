import { GITHUB_API } from '../client/client-options.js';
import { addressOf, type TokenClient } from '../client/token-client.js';
import { boundedFetch } from '../http/bounded-fetch.js';
import { conformAnswer, jsonObject, lifetimeSeconds } from '../http/token-answer.js';
import { OAuthFault } from '../oauth-fault.js';
import { type TokenSet, tokenSet } from '../tokens/token-set.js';

/** GitHub takes ten minutes at most; clocks differ. */
const APP_ASSERTION_SECONDS = 540;
const INSTALLATION_ID = /^[1-9]\d{0,18}$/;

/** Checks the id of an installation. @throws TypeError */
export function installationIdOf(factory: string, id: unknown): string {
  const text = typeof id === 'number' ? String(id) : id;
  if (typeof text === 'string' && INSTALLATION_ID.test(text)) return text;
  throw new TypeError(`${factory}: installationId is the number of the app's installation`);
}

/**
 * A token of a GitHub App's installation. Not OAuth by the letter: a signed assertion goes into `Authorization`, and the answer is a
 * `token` with `expires_at`.
 *
 * @throws OAuthFault
 * @see https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
 */
export async function installationToken(
  client: TokenClient,
  installationId: string,
  zoneId: string,
  nowMs: number,
): Promise<TokenSet> {
  const { clientId, privateKey, tokenEndpoint } = client.settings;
  const limits = client.limits();
  const assertion = await client.signer.sign(await client.open(privateKey, zoneId), {
    iss: clientId,
    ...client.assertionTimes(APP_ASSERTION_SECONDS),
  });
  const base = (tokenEndpoint ?? GITHUB_API).replace(/\/$/, '');
  const headers = {
    Accept: 'application/vnd.github+json',
    Authorization: `Bearer ${assertion}`,
    'X-GitHub-Api-Version': '2022-11-28',
  };
  const url = `${base}/app/installations/${installationId}/access_tokens`;
  const answer = await boundedFetch(url, { method: 'POST', headers }, limits);
  const document = answer.status === 201 || answer.status === 200 ? jsonObject(answer.body) : undefined;
  // Throws what the server said.
  if (document === undefined)
    conformAnswer({ ...answer, status: Math.max(answer.status, 400) }, quirksOf(url, assertion));
  const { token, expires_at: expiresAt } = document ?? {};
  if (typeof token !== 'string') throw new OAuthFault('token_answer_incomplete', { explanation: 'token is missing' });
  const life = typeof expiresAt === 'string' ? lifetimeSeconds((Date.parse(expiresAt) - nowMs) / 1_000) : undefined;
  return tokenSet({ access_token: token, token_type: 'bearer', expires_in: life }, ['bearer'], nowMs);
}

function quirksOf(url: string, assertion: string) {
  return { member: undefined, keepIdToken: false, endpoint: addressOf(url), secrets: [assertion] };
}
