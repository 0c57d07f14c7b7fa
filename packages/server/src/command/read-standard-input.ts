import { failed } from '../frame/command-error.js';

/** Longest text that is read: a sealed secret has at most 16 KiB. */
const MAX_BYTES = 64 * 1024;

/**
 * All of standard input, without the line feed that `echo` puts behind it. On a terminal one line, which is not shown.
 *
 * @throws CommandError where it is too long or no UTF-8
 */
export async function readStandardInput(stdin: NodeJS.ReadStream, prompt: () => void): Promise<string> {
  if (stdin.isTTY) return readHidden(stdin, prompt);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const buffer = Buffer.from(chunk as Uint8Array);
    bytes += buffer.length;
    if (bytes > MAX_BYTES) throw failed(`standard input holds more than ${MAX_BYTES} bytes`);
    chunks.push(buffer);
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
    return text.replace(/\r?\n$/, '');
  } catch {
    throw failed('standard input is no UTF-8 text');
  }
}

async function readHidden(stdin: NodeJS.ReadStream, prompt: () => void): Promise<string> {
  prompt();
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  let text = '';
  try {
    for await (const typed of stdin) {
      for (const character of typed as string) {
        if (character === '\r' || character === '\n' || character === '\x04') return text;
        if (character === '\x03') throw failed('interrupted');
        text = character === '\x7f' || character === '\b' ? text.slice(0, -1) : text + character;
      }
    }
    return text;
  } finally {
    stdin.setRawMode(false);
  }
}
