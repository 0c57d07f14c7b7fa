export {
  AUDIT_READER_TIMEOUT_MS,
  type PostgresAuditQueryOptions,
  type PostgresAuditReader,
  type PostgresAuditReaderOptions,
  postgresAuditReader,
} from './audit/audit-reader.js';
export {
  AUDIT_RETENTION_TIMEOUT_MS,
  type AuditRetentionOptions,
  applyAuditRetention,
  type DroppedMonth,
} from './audit/audit-retention.js';
export {
  type AuditShipper,
  postgresAuditShipper,
  SHIPPER_CLOSE_MS,
  type ShipperStatus,
} from './audit/audit-shipper.js';
export type { KeptChain } from './audit/chain-lines.js';
export type { DamagedLine, JournalSource, SourceEntry, SourceHead, SourceOptions } from './audit/journal-source.js';
export { AUDIT_SHIPPER_DEFAULTS, type PostgresAuditShipperOptions } from './audit/shipper-options.js';
export type { StoredRecord, StoredTrace } from './audit/stored-record.js';
export {
  POSTGRES_CONNECTIONS_TIMEOUT_MS,
  type PostgresConnectionStoreOptions,
  postgresConnectionStore,
} from './connections/connection-store.js';
export type { PostgresClient, PostgresPool, PostgresResult, PostgresSubmittable } from './pool.js';
export { PostgresError, type PostgresFault } from './postgres-error.js';
export type { DefineResource, RefusedRow } from './resources/accept-rows.js';
export type { FeedDirectory, FeedDirectoryOptions } from './resources/feed-directory.js';
export {
  type PostgresDirectoryStatus,
  type PostgresResourceDirectory,
  type PostgresResourceDirectoryOptions,
  postgresResourceDirectory,
} from './resources/resource-directory.js';
export {
  POSTGRES_DIRECTORY_DEFAULTS,
  type PostgresFeedStatus,
  type PostgresResourceFeed,
  type PostgresResourceFeedOptions,
  postgresResourceFeed,
} from './resources/resource-feed.js';
export {
  listResources,
  putResource,
  type ResourceEntry,
  type ResourceKey,
  removeResource,
} from './resources/resource-table.js';
export {
  grantStatements,
  MIGRATE_TIMEOUT_MS,
  type MigrateOptions,
  type MigrationReport,
  migrate,
  schemaVersion,
} from './schema/migrate.js';
export { SCHEMA_VERSION } from './schema/migrations.js';
export type { OnPostgresWarning, PostgresWarning } from './warning.js';
