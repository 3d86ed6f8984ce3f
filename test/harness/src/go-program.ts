/**
 * Compiles the Go programs of `interop`, once for each state of their source, into a folder beside the installed
 * packages. It fetches modules as Go does and installs nothing; guard its users with `requires('go')`.
 */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const interop = fileURLToPath(new URL('../../../interop', import.meta.url));
const cache = fileURLToPath(new URL('../../../node_modules/.cache/rowlock-go', import.meta.url));
const run = promisify(execFile);

/** A program to compile. */
export interface GoProgram {
  /** The folder in `interop` with its `go.mod`. */
  readonly folder: string;
  /** Flags of `go build`. */
  readonly flags?: readonly string[];
  /** The package; default is the folder itself. */
  readonly target?: string;
}

/** Compiles the program, unless the same source was compiled before, and returns its path. */
export async function buildGoProgram({ folder, flags = [], target = '.' }: GoProgram): Promise<string> {
  const source = join(interop, folder);
  const { stdout } = await run('go', ['version']);
  const hash = createHash('sha256').update(JSON.stringify([stdout, flags, target]));
  for (const name of readdirSync(source).sort()) hash.update(name).update(readFileSync(join(source, name)));
  const program = join(cache, `${folder}-${hash.digest('hex').slice(0, 24)}`);
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  const made = `${program}.${randomBytes(4).toString('hex')}`;
  await run('go', ['build', '-buildvcs=false', ...flags, '-o', made, target], { cwd: source });
  renameSync(made, program); // at once for whoever builds the same at the same time
  return program;
}
