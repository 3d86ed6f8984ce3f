/** `npm run campaign -- NAME [--seed N] [--rounds N]`: a long run of what the suite has in short. */
import { fail } from './node-version.mjs';

import('./suite/run-campaign.mjs').then((module) => module.runCampaign(process.argv.slice(2))).catch(fail);
