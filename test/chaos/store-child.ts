import { fileReplayStore, fileRevocationStore } from '@caracal/file';

// Revokes, lifts and marks as fast as the disk allows, and says of each what was promised, until it is killed.
const [directory = '', round = ''] = process.argv.slice(3);
const warn = (message: string): void => say(['warning', message]);
const revocations = await fileRevocationStore({ directory, onWarning: warn });
const replays = await fileReplayStore({ directory, onWarning: warn });
say(['ready']);

/** Node writes to a pipe synchronously on POSIX: what was said is never lost with the process. */
function say(line: readonly string[]): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const zone = { zoneId: 'default', issuer: 'https://issuer.example' };
const nowSeconds = Math.floor(Date.now() / 1000);

async function work(lane: number): Promise<never> {
  for (let index = 0; ; index++) {
    const id = `${round}-${lane}-${index}`;
    await revocations.revoke({ ...zone, kind: 'sid', id });
    say(['revoked', id]);
    if (index % 3 === 0) {
      say(['lifting', id]);
      await revocations.lift({ ...zone, kind: 'sid', id });
      say(['lifted', id]);
    }
    const use = { ...zone, jti: id, issuedAt: nowSeconds, expiresAt: nowSeconds + 900 + (index % 2) * 1_200 };
    say([await replays.use(use), id, String(use.expiresAt)]);
  }
}

await Promise.all(Array.from({ length: 8 }, (_, lane) => work(lane)));
