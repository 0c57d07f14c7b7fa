import type { ConnectableProvider } from '../user/connectable-provider.js';
import { type Html, html, page } from './page.js';
import type { ConnectSession } from './session.js';

/** What the page that asks for a decision shows. */
export interface Decision {
  readonly session: ConnectSession;
  readonly provider: ConnectableProvider;
  /** Where its form goes. */
  readonly action: string;
  readonly authorizationOrigin: string;
  /** Who keeps the tokens. */
  readonly keptAt: string;
  /** Wall clock, ms: when an account was connected before. */
  readonly connectedAtMs: number | undefined;
}

/** Says plainly what is about to be granted, to whom, and how it ends. */
export function decisionPage(decision: Decision): Response {
  const { session, provider, action, authorizationOrigin, keptAt, connectedAtMs } = decision;
  const { ticket } = session;
  const { scopes } = provider.client.settings;
  const { owner, zoneId, applicationId, resource } = ticket;
  const body = html`
<p>${whoActs(decision)}</p>
<dl>
<dt>Account</dt><dd>${provider.title}: you choose which one at ${authorizationOrigin}</dd>
<dt>On behalf of</dt><dd>${owner === 'shared' ? `everyone in zone ${zoneId}` : `${owner.subject}, signed in by ${owner.issuer} (zone ${zoneId})`}</dd>
${applicationId === undefined ? '' : html`<dt>Asked for by</dt><dd>application ${applicationId}${resource === undefined ? '' : `, for ${resource}`}</dd>`}
<dt>Permissions</dt><dd>${scopes.length === 0 ? 'those that the other side names' : scopes.join(', ')}</dd>
<dt>Where the access may be used</dt><dd>${(provider.origins ?? ['this machine only']).join(', ')}</dd>
<dt>Who keeps it</dt><dd>${keptAt}, encrypted. Agents never see it. It ends when you disconnect here or at ${authorizationOrigin}.</dd>
</dl>
<form method="post" action="${action}">
<input type="hidden" name="once" value="${session.once}">
<button class="go" name="do" value="connect">${connectedAtMs === undefined ? 'Connect' : 'Connect again'}</button>
${connectedAtMs === undefined ? '' : html`<button name="do" value="disconnect">Disconnect</button>`}
</form>
${connectedAtMs === undefined ? '' : html`<p class="small">An account has been connected since ${new Date(connectedAtMs).toISOString().slice(0, 10)}. Connecting again replaces it.</p>`}
<p class="small">If you did not ask for this, close this page: nothing has been granted.</p>`;
  return page(`Connect ${provider.title}`, body, { formTargets: [authorizationOrigin] });
}

function whoActs({ provider, session }: Decision): Html {
  return session.ticket.owner === 'shared'
    ? html`You are about to let <strong>the agents of everyone</strong> here act at ${provider.title} with <strong>one account that you choose</strong>.`
    : html`You are about to let <strong>agents that work for you</strong> act at ${provider.title} with <strong>your account</strong> there.`;
}

/** An account is connected. */
export function connectedPage(title: string, cookie: string): Response {
  return page('Connected', html`<p>${title} is connected. You can close this page; your agent can go on.</p>`, {
    cookies: [cookie],
  });
}

/** An account is no longer connected. `revoked`: upstream neither. */
export function disconnectedPage(title: string, revoked: boolean, cookie: string): Response {
  const upstream = revoked
    ? html` ${title} has taken the access back, too.`
    : html` ${title} has not confirmed that the access is taken back: remove this service in your account there.`;
  return page('Disconnected', html`<p>${title} is no longer connected here.${upstream}</p>`, { cookies: [cookie] });
}

const AGAIN = 'Ask your agent to try again: it will get a new link.';
const REFUSALS: Readonly<Record<string, string>> = {
  link_not_valid: `This link is not valid, or not any more. ${AGAIN}`,
  session_not_valid: `This took too long, or was begun in another browser. ${AGAIN}`,
  state_not_valid: `This took too long, or was begun in another browser. ${AGAIN}`,
  state_used: `This step has been done already. ${AGAIN}`,
  form_used: `This step has been done already. ${AGAIN}`,
  begun_before_memory:
    'This service cannot tell yet whether this step has been done, because its memory began a moment ago. Wait a minute, then open the link again.',
  invitation_used: 'This invitation has been used. Ask whoever sent it for a new one.',
  signed_in_as_another:
    'You are signed in as somebody else than the one this link is for. If somebody sent you this link, do not go on: their agent would act with your account.',
  email_not_verified: 'Where you signed in, nobody has verified that this email address is yours.',
  sign_in_not_configured: 'People of this kind cannot sign in here. Ask whoever runs this service for an invitation.',
  provider_unknown: 'There is nothing of this name to connect to any more.',
  callback_access_denied: 'The other side says that access was not granted. Nothing has been connected.',
  callback_issuer_mismatch:
    'The answer came from another server than the one that was asked. Nothing has been connected.',
  audit_unavailable:
    'This service cannot write down now that an account is connected, and so connects none. Nothing has been connected; try again later.',
  not_found: 'There is no such page.',
};

/** What a refusal says in words. The reason is fixed text; nothing the other side sent is shown. */
export function refusalPage(reason: string): { readonly title: string; readonly body: Html } {
  const known = REFUSALS[reason];
  return {
    title: 'Not connected',
    body: html`<p>${known ?? `This did not work, and nothing has been connected. ${AGAIN}`}</p><p class="small">${reason}</p>`,
  };
}
