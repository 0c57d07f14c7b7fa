import type { RefusedRow } from '@caracal/postgres';
import type { Configuration, ResourceConfiguration } from '../configuration/configuration.js';
import { checkedResources } from '../configuration/meaning/resources.js';
import { rowDefinition } from '../generation/row-definition.js';
import { postgresFailure } from '../state/postgres-failure.js';
import { openDatabase } from './database.js';

/** The rows of the resource directory, judged as a gateway with this configuration judges them. */
export interface DirectoryRows {
  readonly resources: readonly ResourceConfiguration[];
  readonly refused: readonly RefusedRow[];
}

const READ_TIMEOUT_MS = 5_000;

/** Reads the table. A text is why it cannot be read. @throws CommandError where its URL cannot be had */
export async function directoryRows(
  configuration: Configuration,
  environment: NodeJS.ProcessEnv,
): Promise<DirectoryRows | string> {
  const pool = await openDatabase(configuration, environment);
  const { postgresResourceFeed } = await import('@caracal/postgres');
  const feed = postgresResourceFeed({ pool, onWarning: () => {} }); // what fails is answered
  try {
    await feed.ready(READ_TIMEOUT_MS);
    const { providers, definitions } = checkedResources(configuration);
    const directory = feed.directory({
      define: rowDefinition(providers),
      beside: definitions,
      onWarning: () => {}, // likewise
    });
    const { accepted, refused } = directory.rows();
    const resources = accepted.map(
      ({ provider, ...resource }) => ({ ...resource, provider: provider.id }) as unknown as ResourceConfiguration,
    );
    return { resources, refused };
  } catch (cause) {
    const failure = postgresFailure(cause);
    if (failure === undefined) throw cause;
    return failure;
  } finally {
    await feed.close();
    await pool.end();
  }
}
