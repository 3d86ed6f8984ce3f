/**
 * Hands over to the command line's `dev`, in this process. It knows nothing of
 * what `dev` does, not even its options.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { followNpm } from './npm-parent.mjs';
import { setup } from './setup.mjs';
import { root } from './workspace.mjs';

/** Sets up, runs `rowlock dev` with these arguments and ends the process with its exit code. */
export async function startDev(args) {
  followNpm();
  await setup();
  const entry = join(root, 'packages', 'cli', 'dist', 'main.js');
  if (!existsSync(entry)) {
    console.error('start: packages/cli/src/main.ts does not exist or was not compiled, so there is nothing to start.');
    process.exit(1);
  }
  const { main } = await import(pathToFileURL(entry).href);
  process.exit(await main(['dev', ...args]));
}
