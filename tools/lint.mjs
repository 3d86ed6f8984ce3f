/** `npm run lint`: checks form and style of every file; `-- --write` repairs what it can. */
import { fail } from './node-version.mjs';

import('./setup/lint.mjs').then((module) => module.lint(process.argv.slice(2))).catch(fail);
