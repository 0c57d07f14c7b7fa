import { generateSealingKey } from '@caracal/core';
import { defineCommand } from '../frame/command.js';

export const keysNew = defineCommand({
  name: 'keys new',
  summary: 'prints a new random key: for sealing, for an application’s secret, for the admin token',
  options: {},
  details: ['32 bytes from the system’s random source in base64url, 43 characters. Nothing is kept.'],
  examples: ['export CARACAL_SEALING_KEY=$(caracal keys new)', '(umask 077; caracal keys new > billing-agent.secret)'],
  async run({ output }) {
    const key = generateSealingKey().reveal();
    await output.tell(key, { key });
    return 0;
  },
});
