import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { watchFiles } from './file-watch.js';

it('tells of a change, also of a file that is replaced, and of one that was missing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'caracal-watch-'));
  const [present, missing] = [join(directory, 'a'), join(directory, 'b')];
  await writeFile(present, '1');
  let changes = 0;
  const stop = watchFiles(
    [present, missing],
    () => {
      changes += 1;
    },
    5,
  );
  let writes = 0;
  const replace = async (path: string) => {
    writes += 1;
    await writeFile(`${path}.new`, `${writes}`);
    await rename(`${path}.new`, path);
  };
  // Written again until it is seen: the first look may come late.
  const seen = (path: string) => {
    const before = changes;
    return expect
      .poll(() => replace(path).then(() => changes - before), { interval: 500, timeout: 30_000 })
      .toBeGreaterThan(0);
  };
  await seen(present);
  await seen(missing);
  stop();
  await rm(directory, { recursive: true });
}, 60_000);
