/** `npm run versions -- [node24] [pg15] [pg17] [--full]`: the suite with other versions of Node and PostgreSQL. */
import { fail } from './node-version.mjs';

import('./suite/run-versions.mjs').then((module) => module.runVersions(process.argv.slice(2))).catch(fail);
