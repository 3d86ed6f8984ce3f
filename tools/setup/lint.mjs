/** Runs the linter over the clone. The rules are in biome.json, none is here. */
import { join } from 'node:path';
import { runProgram } from './run-program.mjs';
import { setup } from './setup.mjs';
import { root } from './workspace.mjs';

/** Ends the process with the linter's exit code. Arguments turn the check into `biome check ARGUMENTS`. */
export async function lint(args) {
  await setup({ compile: false });
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const command = args.length === 0 ? ['ci'] : ['check', ...args];
  process.exit(await runProgram(process.execPath, [biome, ...command], { cwd: root }));
}
