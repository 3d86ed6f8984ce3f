export { SignInLinks } from './auth/sign-in-links.ts';
export type { Backend } from './backend/backend.ts';
export { Backends } from './backend/backends.ts';
export {
  type BucketPlace,
  corsRule,
  lifecycleRule,
  type PolicyKind,
  policyDocument,
  policyKinds,
} from './backend/s3/bucket-documents.ts';
export { type AppliedRules, applyCors, applyLifecycle } from './backend/s3/bucket-rules.ts';
export { Presigner } from './backend/s3/presigner.ts';
export { type S3BackendConfig, type UploadGuard, uploadGuards } from './backend/s3/s3-config.ts';
export { type Exposure, exposureOf } from './backend/s3/s3-exposure.ts';
export { type S3Flavour, s3Flavours } from './backend/s3/s3-quirks.ts';
export {
  type BackendConfig,
  type DatabaseConfig,
  type DiskBackendConfig,
  defaultQueues,
  type PostgresBackendConfig,
  type ServerConfig,
  type WorkerConfig,
} from './config.ts';
export { isAddressRange } from './domain/address-ranges.ts';
export { enableFaults, type FaultHandler, type FaultPoint, type FaultVerdict, faultPoints } from './domain/fault.ts';
export { planFault, systemError } from './domain/fault-plan.ts';
export type { Observation, Observe } from './domain/observation.ts';
export { type Estimate, estimateCosts, type Place, type Prices } from './domain/storage-costs.ts';
export { jobKindNames } from './jobs/job-kinds.ts';
export type { OwnJob, OwnKind } from './jobs/own-kinds.ts';
export type { CheckedFile, CheckResult } from './jobs/perform-check.ts';
export { createLog } from './log.ts';
export type { AdoptCounts, AdoptNames } from './metadata/adopt-inspect.ts';
export type { PlannedSwitch } from './metadata/adopt-switch.ts';
export {
  type AlternativeName,
  alternativeNames,
  installAlternative,
  removeAlternative,
} from './metadata/alternatives.ts';
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
export { listUsage, type UsageRow } from './metadata/storage-usage.ts';
export { type PresetRow, selectPresets } from './metadata/variants.ts';
export type { Metrics } from './metrics.ts';
export { createMetrics, createServer } from './on-demand.ts';
export { openBackend, openBackends } from './open-backends.ts';
export {
  type AdoptPlan,
  type AdoptTarget,
  installAdoption,
  planAdoption,
  type RollbackReport,
  rollBackAdoption,
  switchAdoption,
} from './operations/adopt.ts';
export { type BackfillOptions, type BackfillReport, backfillAdoption } from './operations/adopt-backfill.ts';
export type { Obstacle } from './operations/adopt-obstacles.ts';
export {
  type CopyBackendOptions,
  type CopyProgress,
  type CopyReport,
  copyBackend,
} from './operations/copy-backend.ts';
export { type FsckOptions, type FsckReport, fsck } from './operations/fsck.ts';
export type { Finding, FsckPhase, FsckProgress } from './operations/fsck-run.ts';
export { type ListedBackend, listBackends, placeBucket } from './operations/list-backends.ts';
export {
  listQuarantine,
  purgeQuarantined,
  type QuarantineCause,
  type QuarantinedVersion,
  type QuarantineQuery,
  quarantineCauses,
  type ReleaseOutcome,
  releaseVersion,
} from './operations/quarantine.ts';
export { type RebuildOptions, type RebuildReport, rebuildVariants } from './operations/rebuild-variants.ts';
export { type SweepOptions, type SweepReport, sweep } from './operations/sweep.ts';
export {
  type InventorySweepOptions,
  type InventorySweepReport,
  sweepInventory,
} from './operations/sweep-inventory.ts';
export { ClamdScanner, parseScannerAddress, type ScannerAddress, type ScannerOptions } from './scanning/clamd.ts';
export { type ClassifierOptions, isEndpoint } from './scanning/http-classifier.ts';
export type { RunningServer } from './server.ts';
export { version } from './version.ts';
export { createWorker, type RunningWorker, type WorkerParts } from './worker.ts';
