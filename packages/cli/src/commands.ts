/** Every command, in the order in which help shows them. */
import type { Command } from './command.ts';
import { access } from './commands/access.ts';
import { adopt } from './commands/adopt.ts';
import { alternatives } from './commands/alternatives.ts';
import { audit } from './commands/audit.ts';
import { backendCommand } from './commands/backend.ts';
import { bucket } from './commands/bucket.ts';
import { config } from './commands/config.ts';
import { consoleCommand } from './commands/console.ts';
import { cost } from './commands/cost.ts';
import { cp } from './commands/cp.ts';
import { dev } from './commands/dev.ts';
import { doctor } from './commands/doctor.ts';
import { fsckCommand } from './commands/fsck.ts';
import { jobs } from './commands/jobs.ts';
import { ls } from './commands/ls.ts';
import { migrateCommand } from './commands/migrate.ts';
import { quarantineCommand } from './commands/quarantine.ts';
import { rm } from './commands/rm.ts';
import { s3 } from './commands/s3.ts';
import { serve, work } from './commands/serve.ts';
import { sign } from './commands/sign.ts';
import { sweepCommand } from './commands/sweep.ts';
import { variants } from './commands/variants.ts';

export const commands: readonly Command[] = [
  dev,
  consoleCommand,
  serve,
  work,
  bucket,
  ls,
  cp,
  rm,
  sign,
  migrateCommand,
  adopt,
  alternatives,
  s3,
  doctor,
  jobs,
  audit,
  access,
  config,
  backendCommand,
  fsckCommand,
  sweepCommand,
  quarantineCommand,
  variants,
  cost,
];
