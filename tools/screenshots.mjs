/** `npm run screenshots`: takes the pictures of the console in docs/images, from a real run. */
import { fail } from './node-version.mjs';

import('./suite/take-screenshots.mjs').then((module) => module.takeScreenshots(process.argv.slice(2))).catch(fail);
