/**
 * `npm test`: checks the types of the tests, bundles them, and runs them with Node's own runner. They talk to a running
 * Rowlock, as ROWLOCK_URL, ROWLOCK_TOKEN and POTHOLE_ID say; without these they are skipped, which is said.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const home = fileURLToPath(new URL('..', import.meta.url));
const output = join(home, '.spec');
const tests = readdirSync(join(home, 'src'), { recursive: true }).filter((path) => path.endsWith('.test.ts'));

function runNode(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: home, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

runNode('node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json');
rmSync(output, { recursive: true, force: true });
await build({
  absWorkingDir: home,
  entryPoints: tests.map((path) => join('src', path)),
  outdir: output,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  sourcemap: 'inline',
});
const built = readdirSync(output, { recursive: true }).filter((path) => path.endsWith('.test.mjs'));
runNode('--enable-source-maps', '--test', '--test-reporter=tap', ...built.map((path) => join('.spec', path)));
