import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChromiumPage, requireChromium } from './chromium.js';
import { type ConnectWorld, connectWorld } from './connect-world.js';
import { credentialRequest, tokenOf } from './requests.js';

describe('connecting in a real browser', () => {
  let world: ConnectWorld;
  let browser: ChromiumPage;

  beforeAll(async () => {
    requireChromium();
    world = await connectWorld();
    browser = await ChromiumPage.open();
  }, 300_000); // a new machine installs Chromium

  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  /** Signs in and consents at an `oidc-provider`. */
  async function signIn(login: string): Promise<void> {
    await browser.shows('Sign-in');
    await browser.evaluate(`document.querySelector('[name=login]').value = ${JSON.stringify(login)};
      document.querySelector('[name=password]').value = 'any'; document.querySelector('button[type=submit]').click()`);
    await browser.shows('Authorize');
    await browser.evaluate(`document.querySelector('button[type=submit]').click()`);
  }

  it('goes from the link of a refusal to a connected account, saying plainly what is granted', {
    timeout: 180_000,
  }, async () => {
    await browser.goTo(await world.connectUri('alice'));
    await signIn('alice');
    const shown = await browser.shows('Where the access may be used');
    for (const text of [
      'Connect Files <&> Co',
      'agents that work for you',
      'with your account there',
      'alice, signed in by',
      'application agent',
      'openid, offline_access',
    ]) {
      expect(shown).toContain(text);
    }
    // The policy lets the page's own style in, and nothing else.
    expect(await browser.evaluate(`getComputedStyle(document.querySelector('button.go')).backgroundColor`)).toBe(
      'rgb(20, 83, 45)',
    );
    expect((await browser.picture()).length).toBeGreaterThan(1_000);
    expect(await browser.evaluate('document.cookie')).toBe('');
    const address = new URL(String(await browser.evaluate('location.href')));
    expect([address.origin, address.pathname]).toEqual([world.publicUrl, '/connect/decide']);

    await browser.evaluate(`document.querySelector('button.go').click()`);
    await signIn('alice@upstream');
    await browser.shows('is connected. You can close this page');
    world.clock.advance(5_001);
    const request = credentialRequest(world.provider, { subject: 'alice', issuer: world.signIn.issuer });
    expect(await tokenOf(world.provider.attach(request))).toMatch(/^[\w-]{20,}$/);
    // Refused by a policy of ours, that is; the other pages ask for fonts they do not get.
    expect(
      browser.complaints.filter((text) => text.includes('Content Security Policy') && text.includes(world.publicUrl)),
    ).toEqual([]);
  });
});
