/**
 * `npm start`: everything of the example on this machine. Rowlock with a PostgreSQL of its own, the example's table in it, the
 * built application and its server; Ctrl-C stops all. It keeps nothing but the folder .rowlock.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startApplication } from '../server/application.mjs';
import { installPotholes } from '../server/potholes.mjs';

const home = fileURLToPath(new URL('..', import.meta.url));
const rowlock = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));
const folder = fileURLToPath(new URL('../dist/browser', import.meta.url));
const dataFolder = `${home}.rowlock`;
const rowlockPort = process.env.ROWLOCK_PORT ?? '8000';

/** Runs a program of the example to its end. */
async function run(program, args) {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL(`../node_modules/${program}`, import.meta.url)), ...args],
    {
      cwd: home,
      stdio: 'inherit',
      env: { ...process.env, NG_CLI_ANALYTICS: 'false' },
    },
  );
  const [code] = await once(child, 'exit');
  if (code !== 0) process.exit(code ?? 1);
}

/** Starts `rowlock dev`; resolves when it answers. */
async function startRowlock() {
  if (!existsSync(rowlock)) {
    console.error('Rowlock is not built yet: run `npm start` once in the folder above, and stop it again.');
    process.exit(1);
  }
  const args = [rowlock, 'dev', '--no-demo', '--port', rowlockPort, '--data', dataFolder];
  const child = spawn(process.execPath, args, { cwd: home, stdio: ['ignore', 'pipe', 'inherit'] });
  child.once('exit', (code) => process.exit(code ?? 1));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('ready ')) break;
  }
  child.stdout.resume();
  return child;
}

if (!process.argv.includes('--no-build')) await run('@angular/cli/bin/ng.js', ['build']);
const rowlockProcess = await startRowlock();
const { url, database_url, jwt_secret } = JSON.parse(await readFile(`${dataFolder}/dev.json`, 'utf8'));
await installPotholes(database_url);
const application = await startApplication({
  port: Number(process.env.PORT ?? 4200),
  folder,
  rowlockUrl: url,
  databaseUrl: database_url,
  jwtSecret: jwt_secret,
  people: ['ann', 'ben'],
});
console.log(`\n  Potholes   ${application.url}\n  Rowlock    ${url}/console/\n\n  Stop with Ctrl-C.\n`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    rowlockProcess.removeAllListeners('exit');
    rowlockProcess.once('exit', () => process.exit(0));
    rowlockProcess.kill('SIGTERM');
    void application.stop();
  });
}
