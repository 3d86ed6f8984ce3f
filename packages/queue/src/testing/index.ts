export { type DrainedJob, type DrainOptions, drain } from './drain.ts';
export { assertInserted, assertNotInserted, type ExpectedJob, insertedJobs } from './inserted-jobs.ts';
export { WorkerSignals } from './worker-signals.ts';
