/** `npm run bench [-- NAME]`: sets up, then runs a benchmark beside a PostgreSQL with fsync on. Results go to bench/results/. */
import { fail } from './node-version.mjs';

const name = process.argv[2] ?? 'first-figures';
process.env.ROWLOCK_TEST_FSYNC = 'on';

import('./setup/setup.mjs')
  .then((module) => module.setup())
  .then(() => import('./suite/with-postgres.mjs'))
  .then((module) => module.withPostgres([process.execPath, `bench/dist/${name}.js`]))
  .catch(fail);
