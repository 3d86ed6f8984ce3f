/**
 * `npm start`: sets up, then runs `rowlock dev` in this very process, so that
 * signals reach it. Arguments after `--` are the program's.
 */
import { fail } from './node-version.mjs';

import('./setup/start-dev.mjs').then((module) => module.startDev(process.argv.slice(2))).catch(fail);
