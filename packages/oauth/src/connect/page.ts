import { createHash } from 'node:crypto';

const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:3rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}' +
  'h1{font-size:1.4rem}dt{font-weight:600;margin-top:.8rem}dd{margin:0;overflow-wrap:anywhere}' +
  'button{font:inherit;padding:.5rem 1.1rem;margin:1.5rem .8rem 0 0;border:1px solid #1b1b1b;border-radius:.3rem;background:#fff;cursor:pointer}' +
  'button.go{background:#14532d;border-color:#14532d;color:#fff}p.small{color:#555;font-size:.9rem}';
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Markup that is safe to put into a page. */
export interface Html {
  readonly html: string;
}

/** A template whose values are escaped, unless they are markup themselves. */
export function html(strings: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  let text = strings[0]!;
  values.forEach((value, index) => {
    text +=
      typeof value === 'string' ? escaped(value) : 'html' in value ? value.html : value.map((one) => one.html).join('');
    text += strings[index + 1]!;
  });
  return { html: text };
}

// Direction and control characters could make a name read as another one.
function escaped(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, '\ufffd')
    .replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** What an answer says besides its page. */
export interface PageOptions {
  readonly status?: number;
  readonly cookies?: readonly string[];
  /** Origins that its form may lead to. */
  readonly formTargets?: readonly string[];
}

/** A whole page. It loads nothing, runs nothing and can be framed by nobody. */
export function page(
  title: string,
  body: Html,
  { status = 200, cookies = [], formTargets = [] }: PageOptions = {},
): Response {
  const document = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${{ html: STYLE }}</style></head>
<body><main><h1>${title}</h1>
${body}
</main></body>
</html>
`;
  const headers = commonHeaders(cookies);
  headers.set('Content-Type', 'text/html; charset=utf-8');
  // Browsers hold a form's redirects to form-action too.
  const formAction = ["'self'", ...formTargets].join(' ');
  headers.set(
    'Content-Security-Policy',
    `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`,
  );
  return new Response(document.html, { status, headers });
}

/** Sends the browser elsewhere by GET. @see RFC 9700 section 4.12 */
export function seeOther(location: string, cookies: readonly string[] = []): Response {
  const headers = commonHeaders(cookies);
  headers.set('Location', location);
  return new Response(null, { status: 303, headers });
}

function commonHeaders(cookies: readonly string[]): Headers {
  const headers = new Headers({
    'Cache-Control': 'no-store',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    // Its own forms need an Origin; nobody else learns an address with a code in it.
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  });
  for (const cookie of cookies) headers.append('Set-Cookie', cookie);
  return headers;
}
