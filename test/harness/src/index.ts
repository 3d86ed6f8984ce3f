/**
 * The test harness's public surface: what suites of all packages share. It
 * holds no fixtures of any one package. Nothing here starts anything on import.
 */
export { createEmptyDatabase, type EmptyDatabase } from './empty-database.ts';
export { freePort } from './free-port.ts';
export { createMigratedDatabase, type MigratedDatabase } from './migrated-database.ts';
export { requires, toolPath } from './requires.ts';
export { type SeededRandom, seededRandom } from './seeded-random.ts';
export { type ServiceOptions, startService, type TestService } from './service.ts';
export { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
export { temporaryFolder } from './temporary-folder.ts';
export { databaseServerUrl, startTestServer } from './test-server.ts';
export { jwtSecret, signToken } from './tokens.ts';
export { until } from './until.ts';
