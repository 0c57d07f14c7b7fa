/** What a page answered. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly text: string;
}

/** As much of a browser as connecting an account needs: cookies by origin and path, redirects, forms. */
export class MiniBrowser {
  readonly #cookies = new Map<
    string,
    { readonly path: string; readonly name: string; readonly value: string; readonly origin: string }
  >();
  /** Every address it was sent to. */
  readonly visited: string[] = [];

  async open(
    url: string,
    form?: Readonly<Record<string, string>>,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<Page> {
    let target = url;
    let body = form && new URLSearchParams(form);
    for (let hops = 0; hops < 20; hops++) {
      this.visited.push(target);
      const response = await fetch(target, {
        redirect: 'manual',
        method: body === undefined ? 'GET' : 'POST',
        headers: { cookie: this.#cookieHeader(target), ...extra },
        ...(body && { body }),
      });
      this.#remember(target, response.headers.getSetCookie());
      const location = response.headers.get('location');
      if (location === null) return { url: target, status: response.status, text: await response.text() };
      await response.body?.cancel();
      target = new URL(location, target).href;
      body = undefined;
    }
    throw new Error('too many redirects');
  }

  /** Submits the form of a page, with these fields added. */
  submit(page: Page, fields: Readonly<Record<string, string>> = {}): Promise<Page> {
    const action = /<form[^>]* action="([^"]*)"/.exec(page.text)?.[1];
    if (action === undefined) throw new Error(`no form in: ${page.text.slice(0, 400)}`);
    const hidden = Object.fromEntries(
      [...page.text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [
        name!,
        value!,
      ]),
    );
    return this.open(new URL(action, page.url).href, { ...hidden, ...fields });
  }

  /** Signs in and consents at an `oidc-provider` with its own pages, and stops at the first page that is not one of them. */
  async signIn(page: Page, login: string): Promise<Page> {
    let current = page;
    while (current.url.includes('/interaction/')) {
      const isLogin = current.text.includes('name="login"');
      current = await this.submit(current, isLogin ? { login, password: 'any' } : {});
    }
    return current;
  }

  #cookieHeader(url: string): string {
    const { origin, pathname } = new URL(url);
    return [...this.#cookies.values()]
      .filter((cookie) => cookie.origin === origin && pathname.startsWith(cookie.path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  #remember(url: string, setCookies: readonly string[]): void {
    const { origin } = new URL(url);
    for (const text of setCookies) {
      const [pair = '', ...attributes] = text.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      const name = pair.slice(0, at);
      const value = pair.slice(at + 1);
      const path = attributes.find((one) => /^path=/i.test(one))?.slice(5) ?? '/';
      const key = `${origin}|${path}|${name}`;
      const isOver =
        value === '' || attributes.some((one) => /^max-age=0$/i.test(one) || /^expires=thu, 01 jan 1970/i.test(one));
      if (isOver) this.#cookies.delete(key);
      else this.#cookies.set(key, { origin, path, name, value });
    }
  }
}
