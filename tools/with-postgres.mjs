/** `node tools/with-postgres.mjs COMMAND…`: runs a command with a temporary PostgreSQL for tests. */
import { fail } from './node-version.mjs';

import('./suite/with-postgres.mjs').then((module) => module.withPostgres(process.argv.slice(2))).catch(fail);
