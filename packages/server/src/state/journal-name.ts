import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'journal-name';
const NAME = /^[^\n\0]{1,300}$/;

/**
 * What the journal of a state directory is called in PostgreSQL, where its position is kept: made once, and of this
 * directory alone. Gateways may have the same id, and two journals with one name would move one position.
 */
export async function journalName(stateDirectory: string, gatewayId: string): Promise<string> {
  const path = join(stateDirectory, FILE);
  const known = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return '';
    throw cause;
  });
  if (NAME.test(known)) return known;
  const name = `${gatewayId.slice(0, 200)} ${randomUUID()}`;
  await writeFile(`${path}.new`, name, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return name;
}
