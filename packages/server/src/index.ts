export { openBackend } from './backend/open-backend.ts';
export { Presigner } from './backend/s3/presigner.ts';
export {
  type DatabaseConfig,
  type DiskBackendConfig,
  defaultQueues,
  type ServerConfig,
  type WorkerConfig,
} from './config.ts';
export { isAddressRange } from './domain/address-ranges.ts';
export { enableFaults, type FaultHandler, type FaultPoint, type FaultVerdict, faultPoints } from './domain/fault.ts';
export { planFault, systemError } from './domain/fault-plan.ts';
export type { Observation, Observe } from './domain/observation.ts';
export { jobKindNames } from './jobs/job-kinds.ts';
export { createLog } from './log.ts';
export { type AuditQuery, type AuditRow, listAudit } from './metadata/audit.ts';
export { Database } from './metadata/database.ts';
export { type DatabaseFacts, inspectDatabase } from './metadata/inspect-database.ts';
export {
  defaultSchemaNames,
  type MigrateOptions,
  type MigrateReport,
  migrate,
  type SchemaNames,
} from './metadata/migrate.ts';
export { printSchema } from './metadata/print-schema.ts';
export { rpcNames } from './metadata/rpc.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { type FsckOptions, type FsckReport, fsck } from './operations/fsck.ts';
export type { Finding, FsckPhase, FsckProgress } from './operations/fsck-run.ts';
export { type SweepOptions, type SweepReport, sweep } from './operations/sweep.ts';
export { createServer, type RunningServer } from './server.ts';
export { version } from './version.ts';
export { createWorker, type RunningWorker } from './worker.ts';
