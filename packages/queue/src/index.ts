export type { AttemptError } from './attempt-error.ts';
export type { JobDeleteOptions, JobUpdate } from './client/change-jobs.ts';
export { Client, type Transaction } from './client/client.ts';
export type { AnyKinds, ClientOptions, JobOf, JobOfKind } from './client/client-options.ts';
export type { InsertResult } from './client/insert-jobs.ts';
export type { JobListOptions, JobPage } from './client/job-listing.ts';
export type { JobListOrder } from './client/list-cursor.ts';
export type { QueueRecord } from './client/queue-record.ts';
export type { KindStats, LatencyStats, QueueStats, WorkerStats } from './client/queue-stats.ts';
export type { Job, JobDetails, JobState } from './job.ts';
export type { InsertOptions, JobInsertOptions } from './job-insert-options.ts';
export { JobCancel, JobSnooze } from './job-verdicts.ts';
export { jsonbText } from './jsonb-text.ts';
export type { MaintenanceOptions } from './leader/maintenance-options.ts';
export type { PeriodicJob, PeriodicJobs } from './leader/periodic-jobs.ts';
export { cronSchedule, everySchedule, type Schedule } from './leader/schedule.ts';
export { type MigrateOptions, migrate, migrationSql, type PlannedStep, planMigration } from './migrate/migrate.ts';
export { QueueError, type QueueErrorReason } from './queue-error.ts';
export { retrySeconds, retrySecondsMax } from './retry-policy.ts';
export type { JobFilter } from './statements/job-list.ts';
export type { FieldPath } from './unique/unique-args.ts';
export type { UniqueOptions } from './unique/unique-key.ts';
export { type Clock, systemClock } from './worker/clock.ts';
export type {
  ErrorVerdict,
  Handlers,
  JobHandler,
  Middleware,
  OnError,
  OnStuck,
  PerformContext,
  StepContext,
  WorkHooks,
} from './worker/job-handler.ts';
export type { Observation, Observe, ObservedJob } from './worker/observation.ts';
export type {
  JobEventName,
  QueueEventName,
  SubscribeOptions,
  Subscription,
  WorkerEvent,
} from './worker/subscription.ts';
export { type StopOptions, Worker } from './worker/worker.ts';
export type { QueueOptions, WorkerOptions } from './worker/worker-options.ts';
