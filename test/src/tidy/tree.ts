/**
 * The files of the repository as the tidy rules see them: every file that git tracks or would track, so that a file
 * breaks a rule before it is committed. It judges nothing. Paths are relative to the root and use `/` everywhere.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One file; `text` is empty for what is binary or larger than a source file can be. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One broken rule: where, which, and what to do about it. */
export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** A rule is a pure function of the files, so that a sample in memory can show that it reports. */
export type Rule = (files: readonly SourceFile[]) => Violation[];

const textBytesMax = 2 * 1024 * 1024;
const binaryProbeBytes = 8192;
const foldersNotWalked = new Set(['node_modules', 'dist', '.git', '.rowlock', '.build', 'coverage']);

/** Finds the root of the repository: the nearest folder above this module whose package.json has workspaces. */
export function repositoryRoot(): string {
  let folder = import.meta.dirname;
  while (!isWorkspaceRoot(folder)) {
    const parent = dirname(folder);
    assert.notEqual(parent, folder, 'no package.json with workspaces above the tidy suite');
    folder = parent;
  }
  return folder;
}

function isWorkspaceRoot(folder: string): boolean {
  const path = join(folder, 'package.json');
  return existsSync(path) && 'workspaces' in JSON.parse(readFileSync(path, 'utf8'));
}

/** Reads every tracked and every untracked but not ignored file; without git, every file outside built folders. */
export function readTree(root: string = repositoryRoot()): SourceFile[] {
  const paths = pathsOfGit(root) ?? pathsOfWalk(root);
  return [...new Set(paths)]
    .sort()
    .filter((path) => isRegularFile(join(root, path)))
    .map((path) => ({ path, text: readText(join(root, path)) }));
}

/** Makes files from a table of path to text: what the negative controls feed to a rule. */
export function sampleTree(table: Readonly<Record<string, string>>): SourceFile[] {
  return Object.entries(table).map(([path, text]) => ({ path, text }));
}

/** Fails with one line for each violation; the line says where to look and what to do. */
export function assertTidy(violations: readonly Violation[]): void {
  const lines = violations.map((found) => `${found.path}:${found.line} ${found.rule}: ${found.message}`);
  assert.equal(lines.length, 0, `${lines.length} violation(s):\n${lines.join('\n')}\n`);
}

/** The line, counted from 1, on which an offset lies. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

function pathsOfGit(root: string): string[] | undefined {
  const args = ['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  try {
    const output = execFileSync('git', args, {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    });
    return output.split('\0').filter((path) => path !== '');
  } catch {
    return undefined;
  }
}

function pathsOfWalk(root: string, folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return foldersNotWalked.has(entry.name) ? [] : pathsOfWalk(root, path);
    return entry.isFile() ? [path] : [];
  });
}

function isRegularFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function readText(path: string): string {
  const bytes = readFileSync(path);
  const isText = bytes.length <= textBytesMax && !bytes.subarray(0, binaryProbeBytes).includes(0);
  return isText ? bytes.toString('utf8') : '';
}
