/**
 * Knows where things are in the clone: packages, TypeScript projects and their
 * files. It changes nothing. All paths that it returns are absolute.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone's top folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Folders of the npm workspaces, as the root package.json lists them. */
export function workspaceFolders() {
  const { workspaces } = readJson(join(root, 'package.json'));
  const folders = workspaces.flatMap((pattern) => {
    if (!pattern.endsWith('/*')) return [join(root, pattern)];
    const parent = join(root, pattern.slice(0, -2));
    return readdirSync(parent).map((name) => join(parent, name));
  });
  return folders.filter((folder) => existsSync(join(folder, 'package.json'))).sort();
}

/** The TypeScript projects that the root tsconfig.json refers to, as `{ config, folder, source, output, buildInfo }`. */
export function projects() {
  return readJson(join(root, 'tsconfig.json')).references.map(({ path }) => {
    const named = join(root, path);
    const config = named.endsWith('.json') ? named : join(named, 'tsconfig.json');
    const folder = dirname(config);
    const { rootDir, outDir, tsBuildInfoFile } = readJson(config).compilerOptions;
    return {
      config,
      folder,
      source: join(folder, rootDir),
      output: join(folder, outDir),
      buildInfo: join(folder, tsBuildInfoFile),
    };
  });
}

/** Every file below the folder, in a stable order; none if the folder does not exist. */
export function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
}

/** Parses a JSON file. */
export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** A line that changes whenever the file is written. */
export function fingerprint(path) {
  const { mtimeMs, size } = statSync(path);
  return `${path.slice(root.length)} ${mtimeMs} ${size}\n`;
}
