/**
 * Makes clones with our tools and one tiny package, so that installing and
 * compiling take no time and need no network. It is only about the tools: none
 * of Rowlock's code is in it.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const compiler = join(root, 'node_modules', 'typescript');

/** How a tool ended. */
export interface ToolRun {
  readonly status: number | null;
  readonly output: string;
}

/** Creates the clone in `folder`, with the package's only source file, and nothing installed. */
export function createSmallClone(folder: string): void {
  cpSync(join(root, 'tools'), join(folder, 'tools'), { recursive: true });
  const scripts = { start: 'node tools/start.mjs' };
  const manifest = { name: 'small', version: '1.0.0', private: true, type: 'module', scripts };
  const dependencies = { devDependencies: { typescript: `file:${compiler}` } };
  write(folder, 'package.json', { ...manifest, workspaces: ['packages/*'], ...dependencies });
  write(folder, 'packages/a/package.json', { name: 'a', version: '1.0.0', type: 'module' });
  write(folder, 'tsconfig.json', { files: [], references: [{ path: 'packages/a' }] });
  write(folder, 'tsconfig.base.json', {});
  const options = { composite: true, module: 'NodeNext', rootDir: 'src', outDir: 'dist', types: [] };
  const compilerOptions = { ...options, tsBuildInfoFile: 'dist/.tsbuildinfo' };
  write(folder, 'packages/a/tsconfig.json', { compilerOptions, include: ['src'] });
  writeSource(folder, 'a.ts', 'export const a: number = 1;\n');
  const lock = spawnSync('npm', ['install', '--package-lock-only', '--offline', '--ignore-scripts'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (lock.status !== 0) throw new Error(lock.stderr);
}

/** Writes a source file of the package. */
export function writeSource(folder: string, name: string, text: string): void {
  mkdirSync(join(folder, 'packages', 'a', 'src'), { recursive: true });
  writeFileSync(join(folder, 'packages', 'a', 'src', name), text);
}

/** Runs one of the tools to its end. */
export function runTool(folder: string, tool: string, ...args: readonly string[]): ToolRun {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = spawnSync(process.execPath, [join(folder, 'tools', tool), ...args], { cwd: '/', env, encoding: 'utf8' });
  return { status: run.status, output: run.stdout + run.stderr };
}

function write(folder: string, path: string, content: object): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), JSON.stringify(content, undefined, 2));
}
