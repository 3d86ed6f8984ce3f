/**
 * A small file system of its own for a store: it can be full, and read-only. Needs `requires('mount')`. It is unmounted
 * with the test, or with the process when that ends earlier.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from '@rowlock/test-harness';

export interface MountedFolder {
  readonly path: string;
  /** Mounts it again with other options, such as `ro` or `rw`. */
  remount(options: string): void;
}

/** Mounts a tmpfs of a size such as `8m`, after everything else of the test has ended. */
export function mountFolder(t: TestContext, size: string): MountedFolder {
  const folder = temporaryFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', folder]);
  let isMounted = true;
  const unmount = (): void => {
    if (isMounted) execFileSync('umount', ['--lazy', folder]);
    isMounted = false;
  };
  process.once('exit', unmount);
  t.after(() => {
    process.off('exit', unmount);
    unmount();
  });
  return {
    path: join(folder, 'blobs'),
    remount: (options) => {
      execFileSync('mount', ['-o', `remount,${options}`, folder]);
    },
  };
}
