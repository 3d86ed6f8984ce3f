/** `npm run bench [-- NAME]`: sets up, then runs a benchmark. Results go to bench/results/. */
import { fail } from './node-version.mjs';

import('./suite/run-bench.mjs').then((module) => module.runBench(process.argv.slice(2))).catch(fail);
