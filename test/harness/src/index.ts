/**
 * The test harness's public surface: what suites of all packages share. It
 * holds no fixtures of any one package. Nothing here starts anything on import.
 */
export type { ArmedByteFault, ByteFault } from './carried-connection.ts';
export { type CephStore, cephStore, stopCeph } from './ceph.ts';
export { type Clamd, clamd, eicar } from './clamd.ts';
export { createEmptyDatabase, type EmptyDatabase } from './empty-database.ts';
export type {
  ArmedFault,
  Fault,
  FaultChances,
  FaultPlan,
  FreezePlan,
  Frozen,
  FrozenDirection,
  SeenConnection,
  SeenStatement,
} from './fault-plan.ts';
export { type FaultProxy, type FaultProxyOptions, startFaultProxy } from './fault-proxy.ts';
export { freePort } from './free-port.ts';
export {
  buildGoRiver,
  type GoEvent,
  GoRiver,
  GoRiverError,
  goGoldens,
  goRiverNewest,
  goRiverVersions,
} from './go-river.ts';
export { absent, type Content, contentOf, History, type Outcome, outcomeOf } from './history.ts';
export { assertInvariants, type Expectations } from './invariants.ts';
export { createMigratedDatabase, type MigratedDatabase } from './migrated-database.ts';
export type { Pace } from './paced-writer.ts';
export { type JobParts, performJob } from './perform-job.ts';
export {
  type Postgrest,
  type PostgrestAnswer,
  type PostgrestClaims,
  type PostgrestRequest,
  startPostgrest,
} from './postgrest.ts';
export { requires, toolPath } from './requires.ts';
export { type RiverUi, startRiverUi } from './river-ui.ts';
export { type SeededRandom, seededRandom } from './seeded-random.ts';
export { type ServiceOptions, startService, type TestConfig, type TestService } from './service.ts';
export { temporaryFolder } from './temporary-folder.ts';
export { databaseServerUrl, startTestServer, useOwnServer } from './test-server.ts';
export { jwtSecret, signToken } from './tokens.ts';
export { until } from './until.ts';
