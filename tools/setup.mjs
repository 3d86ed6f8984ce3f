/** `npm run setup`: installs and compiles what changed. */
import { fail } from './node-version.mjs';

import('./setup/setup.mjs').then((module) => module.setup()).catch(fail);
