/** `npm run corpora`: fetches real images that strangers made, by the names of packages, for tests of what decodes them. */
import { fail } from './node-version.mjs';

import('./suite/fetch-corpora.mjs').then((module) => module.fetchCorpora()).catch(fail);
