import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { fileReplayStore, fileRevocationStore } from '@caracal/file';
import { describe, expect, it } from 'vitest';

const KILLS = 6;
const zone = { zoneId: 'default', issuer: 'https://issuer.example' };
const RUN_TYPESCRIPT = fileURLToPath(new URL('./run-typescript.mjs', import.meta.url));
const CHILD = fileURLToPath(new URL('./store-child.ts', import.meta.url));

type Said = readonly [what: string, id?: string, expiresAt?: string];

/** Runs the child until it has said so many lines, kills it, and answers all it said. */
async function runAndKill(directory: string, round: number, lines: number): Promise<Said[]> {
  const child = spawn(process.execPath, [RUN_TYPESCRIPT, CHILD, directory, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: Said[] = [];
  for await (const line of createInterface(child.stdout)) {
    said.push(JSON.parse(line) as Said);
    if (said.length === lines) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  return said;
}

describe('file stores in a process that is killed', () => {
  it('keep every promise that was made, across every kill', { timeout: 120_000 }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'caracal-chaos-'));
    const revoked = new Map<string, boolean | 'unknown'>();
    const used = new Map<string, number>();
    for (let round = 0; round < KILLS; round++) {
      const said = await runAndKill(directory, round, 150 + Math.floor(Math.random() * 1_500));
      for (const [what, id = '', expiresAt] of said) {
        if (what === 'revoked') revoked.set(id, true);
        if (what === 'lifting') revoked.set(id, 'unknown'); // asked for, not answered
        if (what === 'lifted') revoked.set(id, false);
        if (what === 'first') used.set(id, Number(expiresAt));
      }
      // A kill rarely meets a write in its middle: what that leaves behind is put there.
      const marks = (await readdir(join(directory, 'replay'))).find((name) => name.startsWith('until-'));
      await appendFile(join(directory, 'revocations', 'revocations.log'), 'deadbeef {"op":"rev');
      if (marks !== undefined) await appendFile(join(directory, 'replay', marks), 'deadbeef ["defa');

      const warnings: string[] = [];
      const onWarning = (message: string): void => void warnings.push(message);
      const revocations = await fileRevocationStore({ directory, onWarning });
      for (const [id, state] of revoked) {
        if (state !== 'unknown') expect(revocations.isRevoked([{ ...zone, kind: 'sid', id }]), id).toBe(state);
      }
      await revocations.close();
      const replays = await fileReplayStore({ directory, onWarning });
      for (const [jti, expiresAt] of used) {
        const issuedAt = expiresAt - 900;
        expect(await replays.use({ ...zone, jti, issuedAt, expiresAt }), jti).toBe('replayed');
      }
      await replays.close();
      expect(warnings).toEqual([expect.stringContaining('cut off'), expect.stringContaining('cut off')]);
    }
    expect(revoked.size).toBeGreaterThan(KILLS * 30);
    expect(used.size).toBeGreaterThan(KILLS * 30);
    await rm(directory, { recursive: true });
  });
});
