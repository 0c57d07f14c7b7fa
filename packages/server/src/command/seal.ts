import { sealSecret } from '@caracal/core';
import { ConfigurationError } from '../configuration/problem.js';
import { defineCommand } from '../frame/command.js';
import { failed, wrongUse } from '../frame/command-error.js';
import { nearName } from '../frame/near-name.js';
import { loadSealingKeys } from '../secrets/sealing-keys.js';
import { type SecretPlace, secretPlaces } from '../secrets/secret-places.js';
import { CONFIG_OPTION, configurationFault, openConfiguration } from './configuration-option.js';
import { readStandardInput } from './read-standard-input.js';

export const seal = defineCommand({
  name: 'seal',
  summary: 'seals a secret, read from standard input, for one place in the configuration',
  options: {
    for: {
      type: 'string',
      value: 'ID[.FIELD]',
      required: true,
      help: 'a provider, an application, or sign-in:ISSUER; the field where it has several',
    },
    zone: { type: 'string', value: 'ID', help: 'the zone that opens it, where several use the provider' },
    ...CONFIG_OPTION,
  },
  details: [
    'Prints the reference to put in the place of { "env": ... } or { "file": ... }. It opens there and nowhere else: it is bound to ' +
      'the zone, the provider, the field and the provider’s origins, so seal again when the origins change. The key is the first ' +
      'of sealing.keys, else the one in the state directory.',
    'One line feed at the end of standard input is not part of the secret. On a terminal what you type is not shown.',
  ],
  examples: [
    'caracal seal --for provider://billing < billing.key',
    'pass show billing | caracal seal --for provider://billing',
  ],
  async run(invocation) {
    const { options, output, stdin, env } = invocation;
    const { configuration } = await openConfiguration(invocation);
    const place = findPlace(options.for, secretPlaces(configuration));
    const zoneId = chooseZone(options.zone, place);
    const { keys, generated } = await loadSealingKeys(configuration, env).catch((cause: unknown) => {
      throw cause instanceof ConfigurationError ? configurationFault(cause) : cause;
    });
    const [key] = keys;
    if (key === undefined) throw wrongUse('there is no key to seal with; give sealing.keys one');
    const text = await readStandardInput(stdin, () => output.note(`type the secret of ${options.for}, then Enter`));
    if (text === '') throw wrongUse('standard input is empty: pipe the secret into this command');
    const { providerId, field, origins } = place;
    const sealed = await sealSecret(text, key, { zoneId, providerId, field, origins }).catch((cause: unknown) => {
      throw cause instanceof TypeError ? failed(cause.message.replace(/^sealSecret: /, '')) : cause;
    });
    if (generated)
      output.note('sealed with the key in the state directory: another host needs that file too; or give sealing.keys');
    await output.tell(`{ "sealed": "${sealed}" }`, { sealed, for: providerId, field, zone: zoneId, origins });
    return 0;
  },
});

function findPlace(wanted: string, places: readonly SecretPlace[]): SecretPlace {
  const candidates = places.filter(
    ({ providerId, field }) => wanted === providerId || wanted === `${providerId}.${field}`,
  );
  // An application that the gateway itself is stands in two places, and its secret is one.
  const named = candidates.filter(
    (place, index) => candidates.findIndex((other) => isSamePlace(place, other)) === index,
  );
  const [only, ...more] = named;
  if (only !== undefined && more.length === 0) return only;
  const names = (more.length > 0 ? named : places).map(({ providerId, field }) => `${providerId}.${field}`);
  if (more.length > 0) throw wrongUse(`--for ${wanted} names several secrets; choose ${names.join(' or ')}`);
  if (places.length === 0) throw wrongUse('the configuration has no provider and no application with a secret');
  const near = nearName(wanted, [...names, ...places.map(({ providerId }) => providerId)]);
  throw wrongUse(
    `--for ${wanted} names no secret of the configuration${near === undefined ? '' : `; did you mean ${near}?`}`,
    `there are ${names.join(', ')}`,
  );
}

function isSamePlace(a: SecretPlace, b: SecretPlace): boolean {
  return a.providerId === b.providerId && a.field === b.field && a.origins.join() === b.origins.join();
}

function chooseZone(wanted: string | undefined, { zones, providerId }: SecretPlace): string {
  const [only, ...more] = zones;
  if (wanted !== undefined) {
    if (!zones.includes(wanted)) throw wrongUse(`--zone ${wanted}: ${providerId} is used in ${zones.join(', ')}`);
    return wanted;
  }
  if (only === undefined || more.length > 0) {
    throw wrongUse(`${providerId} is used in several zones; say for which: --zone ${zones.join(' or --zone ')}`);
  }
  return only;
}
