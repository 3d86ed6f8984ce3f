/**
 * What a path says about a file: which package it belongs to, whether it is code, a test or a generated print. The
 * rules ask here, so that all of them mean the same by these words. It reads no file.
 */

const codePattern = /\.(ts|tsx|mts|js|jsx|mjs)$/;

/** Whether a file is TypeScript or JavaScript that someone wrote. */
export function isCode(path: string): boolean {
  return codePattern.test(path) && !path.endsWith('.d.ts');
}

/** Whether a file holds tests. */
export function isTest(path: string): boolean {
  return /\.test\.(ts|tsx|mjs|js)$/.test(path);
}

/** Whether a file is printed by a program: the size and the wording of such a file are not chosen by us. */
export function isGenerated(path: string): boolean {
  return path.endsWith('/sql/schema.sql') || path === 'package-lock.json';
}

/** Whether a file follows the conventions of another ecosystem instead of ours: examples and foreign programs. */
export function isForeign(path: string): boolean {
  return path.startsWith('examples/') || path.startsWith('interop/');
}

/** The folder of a package below `packages/`, or undefined outside of it. */
export function packageOf(path: string): string | undefined {
  return /^packages\/([^/]+)\//.exec(path)?.[1];
}

/** Whether a file is a module of a package, not one of its tests. */
export function isPackageModule(path: string): boolean {
  return /^packages\/[^/]+\/src\//.test(path) && isCode(path) && !isTest(path);
}

/** Whether a file is the public surface of a package. */
export function isPublicIndex(path: string): boolean {
  return (
    /^packages\/[^/]+\/src\/((contract|edge|page|testing)\/)?index\.ts$/.test(path) ||
    path === 'test/harness/src/index.ts'
  );
}
