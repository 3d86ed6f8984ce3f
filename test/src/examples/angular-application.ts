/**
 * The example of examples/angular as a user has it: its own packages, its own build, its own server as a process, beside a real
 * service of this test. Invariant: it installs nothing but what its lock file says, runs no package's script, and reports to
 * nobody.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort, jwtSecret, startService, type TestService, temporaryFolder, toolPath } from '@rowlock/test-harness';
import { type Browser, chromium, type Page } from 'playwright-core';
import { repositoryRoot } from '../tidy/tree.ts';

const home = join(repositoryRoot(), 'examples', 'angular');
/** What was installed last, so that a second run installs nothing. */
const installedMark = join(home, 'node_modules', '.installed');
/** What was built last, likewise. */
const builtMark = join(home, 'dist', '.built');
const browserFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
];
const actionTimeoutMs = 30_000;
const people = ['ann', 'ben'];

export interface AngularApplication {
  readonly service: TestService;
  readonly url: string;
  /** The application in a browser context of its own, with somebody signed in. */
  open(person: string, address?: string): Promise<Page>;
  /** What the page of the build has before any script runs. */
  builtPage(): Promise<string>;
  stop(): Promise<void>;
}

/** Installs and builds what is not there, then starts service, application and browser. */
export async function startAngularApplication(): Promise<AngularApplication> {
  await installPackages();
  await build();
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const service = await startService({ config: { cors_origins: [url] } });
  await service.database.query(await readFile(join(home, 'database', 'potholes.sql'), 'utf8'));
  const server = await startServer(service, port);
  const browser = await chromium.launch({ executablePath: toolPath('chromium'), args: browserFlags });
  return {
    service,
    url,
    open: (person, address = '/') => openAs(browser, url, person, address),
    builtPage: () => readFile(join(home, 'dist', 'browser', 'index.html'), 'utf8'),
    async stop() {
      await browser.close();
      server.kill('SIGTERM');
      if (server.exitCode === null) await once(server, 'exit');
      await service.stop();
    },
  };
}

/** Runs a program of the example with Node to its end, and fails with what it said where it fails. */
export async function runInExample(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return await runToEnd(process.execPath, [join(home, program), ...args], env);
}

async function installPackages(): Promise<void> {
  const hash = hashOf([join(home, 'package-lock.json')]);
  if (existsSync(installedMark) && readFileSync(installedMark, 'utf8') === hash) return;
  await runToEnd(
    'npm',
    ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'],
    {},
  );
  writeFileSync(installedMark, hash);
}

/** Builds, unless nothing has changed of what goes into it. */
async function build(): Promise<void> {
  const inputs = ['src', 'public', 'angular.json', 'tsconfig.json', 'tsconfig.app.json', 'package-lock.json'];
  const clients = ['../../packages/client/dist', '../../packages/elements/dist'];
  const hash = hashOf([...inputs, ...clients].flatMap((path) => filesBelow(join(home, path))));
  if (existsSync(builtMark) && readFileSync(builtMark, 'utf8') === hash) return;
  await runInExample('node_modules/@angular/cli/bin/ng.js', ['build'], {});
  writeFileSync(builtMark, hash);
}

function filesBelow(path: string): readonly string[] {
  if (statSync(path).isFile()) return [path];
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

async function runToEnd(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  // Angular's cache outlives the process where CI is not said; the tools of this run's npm are nothing to the example's.
  const child = spawn(command, args, {
    cwd: home,
    env: { ...process.env, ...env, NG_CLI_ANALYTICS: 'false', NODE_TEST_CONTEXT: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${said}`);
  return said;
}

/** The example's server as a process, with the service's database login, which is nobody until it becomes a caller. */
async function startServer(service: TestService, port: number): Promise<ChildProcess> {
  const server = spawn(process.execPath, [join(home, 'server', 'main.mjs')], {
    cwd: temporaryFolder(),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      PORT: String(port),
      ROWLOCK_URL: service.url,
      DATABASE_URL: service.database.apiUrl,
      JWT_SECRET: jwtSecret,
      PEOPLE: people.join(','),
    },
  });
  for await (const line of createInterface({ input: server.stdout })) {
    if (line.startsWith('ready ')) return server;
  }
  throw new Error('The server of the example ended before it was ready');
}

async function openAs(browser: Browser, url: string, person: string, address: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(actionTimeoutMs);
  const page = await context.newPage();
  await page.goto(url);
  await page.getByRole('button', { name: person, exact: true }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  if (address !== '/') await page.goto(url + address);
  return page;
}
