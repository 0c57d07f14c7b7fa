import type { ConfigurationFile } from './schema.js';

/**
 * Gives a configuration in a module its types: `export default defineConfiguration({ ... })`. It is checked when it is
 * loaded. A module is data: it is evaluated in a thread of its own at each load, and what it exports is copied out.
 */
export function defineConfiguration(configuration: ConfigurationFile): ConfigurationFile {
  return configuration;
}
