import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { requireDebianPackage } from '../servers/debian-package.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** @throws Error where there is no Chromium and none can be installed */
export function requireChromium(): void {
  const program = 'Chromium (at /usr/bin/chromium, or where the variable CHROMIUM says)';
  requireDebianPackage({ program, package: 'chromium', isHere: () => existsSync(CHROMIUM) });
}

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** One page of a headless Chromium, driven over its debugging pipe. */
export class ChromiumPage {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #replies = new Map<
    number,
    { resolve(result: Readonly<Record<string, unknown>>): void; reject(error: Error): void }
  >();
  #ids = 0;
  #session: string | undefined;
  /** What the browser complained of: refused by a policy, or thrown. */
  readonly complaints: string[] = [];

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child;
    this.#profile = profile;
    let rest = '';
    (child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop() ?? '';
      for (const message of messages) this.#hear(JSON.parse(message) as Reply);
    });
  }

  static async open(): Promise<ChromiumPage> {
    const profile = await mkdtemp(join(tmpdir(), 'caracal-chromium-'));
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Nothing but this machine, whatever a page asks for.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      `--user-data-dir=${profile}`,
      '--remote-debugging-pipe',
      'about:blank',
    ];
    const child = spawn(CHROMIUM, flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    const page = new ChromiumPage(child, profile);
    const { targetId } = await page.#send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await page.#send('Target.attachToTarget', { targetId, flatten: true });
    page.#session = sessionId as string;
    for (const domain of ['Page', 'Runtime', 'Log']) await page.#send(`${domain}.enable`);
    return page;
  }

  async goTo(url: string): Promise<void> {
    await this.#send('Page.navigate', { url });
  }

  /** What an expression is in the page. `undefined` where the page is just being replaced. */
  async evaluate(expression: string): Promise<unknown> {
    try {
      const { result } = await this.#send('Runtime.evaluate', { expression, returnByValue: true });
      return (result as { value?: unknown }).value;
    } catch {
      return undefined;
    }
  }

  /** The text a reader sees, once it holds this. */
  async shows(text: string, timeoutMs = 60_000): Promise<string> {
    for (const end = Date.now() + timeoutMs; ; ) {
      const seen = String(await this.evaluate('document.readyState === "complete" ? document.body.innerText : ""'));
      if (seen.includes(text)) return seen;
      if (Date.now() > end) throw new Error(`the page does not show ${text}: ${seen.slice(0, 500)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** A picture of the page, PNG. */
  async picture(): Promise<Buffer> {
    const { data } = await this.#send('Page.captureScreenshot', { format: 'png' });
    return Buffer.from(data as string, 'base64');
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #send(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#ids;
    const message = JSON.stringify({ id, method, params, ...(this.#session && { sessionId: this.#session }) });
    return new Promise((resolve, reject) => {
      this.#replies.set(id, { resolve, reject });
      (this.#child.stdio[3] as Writable).write(`${message}\0`);
    });
  }

  #hear({ id, method, params, result, error }: Reply): void {
    if (id !== undefined) {
      const waiting = this.#replies.get(id);
      this.#replies.delete(id);
      if (error === undefined) waiting?.resolve(result ?? {});
      else waiting?.reject(new Error(error.message));
      return;
    }
    if (method === 'Log.entryAdded') this.complaints.push(JSON.stringify(params?.entry));
    if (method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(params));
  }
}
