/** `npm test`: sets up, then runs the test suite. Arguments after `--` choose what to run. */
import { fail } from './node-version.mjs';

import('./suite/run-suite.mjs').then((module) => module.runSuite(process.argv.slice(2))).catch(fail);
