/** `node tools/controls.mjs [--only PART] [--area NAME]`: negative controls; `npm run campaign -- controls` adds a PostgreSQL. */
import { fail } from './node-version.mjs';

import('./suite/controls/run-controls.mjs').then((module) => module.runControls(process.argv.slice(2))).catch(fail);
