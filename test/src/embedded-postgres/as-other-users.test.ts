import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { requires, temporaryFolder, until } from '@rowlock/test-harness';
import { copyClone, nativeFolder, platformPackage } from './clone-copy.ts';
import { isRunning, killWatchdogOf, userOf } from './processes.ts';
import { careless, sql, startServer } from './server-in-child.ts';

/** The user id of `nobody`, who owns nothing and may enter little. */
function nobody(): { uid: number; gid: number } {
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' })));
  return { uid: Number(uid), gid: Number(gid) };
}

/** A folder that only its owner may enter, and beside it a system folder as /var/lib/rowlock would be. */
function closedProject(): { clone: string; dataDir: string; systemFolder: string } {
  const project = temporaryFolder({ mode: 0o700 });
  const systemFolder = join(temporaryFolder({ mode: 0o711 }), 'rowlock');
  return { clone: join(project, 'clone'), dataDir: join(project, 'clone', '.rowlock', 'postgres'), systemFolder };
}

function copiesIn(systemFolder: string): readonly string[] {
  return existsSync(systemFolder) ? readdirSync(systemFolder).filter((name) => name.startsWith('postgresql-')) : [];
}

test('root starts it with clone, packages and data in a folder that only root may enter', {
  skip: requires('root'),
}, async () => {
  const { clone, dataDir, systemFolder } = closedProject();
  copyClone(clone);
  const options = { dataDir, settings: careless, systemFolders: [systemFolder] };

  const first = await startServer(options, { clone });

  assert.notEqual(userOf(first.pid), 0);
  assert.ok(lstatSync(dataDir).isSymbolicLink());
  assert.equal(realpathSync(dataDir), first.dataDir);
  assert.ok(first.dataDir.startsWith(realpathSync(systemFolder)));
  assert.equal(lstatSync(first.dataDir).mode & 0o777, 0o700);
  assert.equal(statSync(`${dataDir}.password`).uid, 0);
  await sql(first.url, 'CREATE TABLE kept AS SELECT 1 AS value');
  await first.stop();
  const [copy = ''] = copiesIn(systemFolder);
  const program = join(systemFolder, copy, 'bin', 'postgres');
  const { ino } = statSync(program);
  const second = await startServer(options, { clone });
  assert.deepEqual(await sql(second.url, 'SELECT value FROM kept'), [{ value: 1 }]);
  assert.equal(statSync(program).ino, ino, 'the programs are copied once');
  await second.stop();
});

test('a killed start in a closed folder is recovered like any other', { skip: requires('root') }, async () => {
  const { clone, dataDir, systemFolder } = closedProject();
  copyClone(clone);
  const options = { dataDir, systemFolders: [systemFolder] };
  const first = await startServer(options, { clone });
  await sql(first.url, 'CREATE TABLE kept AS SELECT 1 AS value');
  await killWatchdogOf(first.process);
  await first.kill();

  const second = await startServer(options, { clone });

  assert.equal(isRunning(first.pid), false);
  assert.deepEqual(await sql(second.url, 'SELECT value FROM kept'), [{ value: 1 }]);
  await second.stop();
});

test('a damaged copy of the programs is replaced', { skip: requires('root') }, async () => {
  const { clone, dataDir, systemFolder } = closedProject();
  copyClone(clone);
  const options = { dataDir, settings: careless, systemFolders: [systemFolder] };
  const first = await startServer(options, { clone });
  await first.stop();
  const [copy = ''] = copiesIn(systemFolder);
  execFileSync('truncate', ['-s', '100', join(systemFolder, copy, 'bin', 'postgres')]);

  const second = await startServer(options, { clone });

  assert.deepEqual(copiesIn(systemFolder), [copy]);
  await second.stop();
});

test('a project that was closed after its first start keeps its data', { skip: requires('root') }, async () => {
  const project = temporaryFolder({ mode: 0o711 });
  const dataDir = join(project, '.rowlock', 'postgres');
  const systemFolder = join(temporaryFolder({ mode: 0o711 }), 'rowlock');
  const options = { dataDir, settings: careless, systemFolders: [systemFolder] };
  const first = await startServer(options);
  assert.equal(first.dataDir, realpathSync(dataDir));
  await sql(first.url, 'CREATE TABLE kept AS SELECT 1 AS value');
  await first.stop();
  chmodSync(project, 0o700);

  const second = await startServer(options);

  assert.notEqual(second.dataDir, first.dataDir);
  assert.deepEqual(await sql(second.url, 'SELECT value FROM kept'), [{ value: 1 }]);
  assert.deepEqual(readdirSync(join(dataDir, '..')).sort(), ['postgres', 'postgres.lock', 'postgres.password']);
  await second.stop();
});

test('a data folder that was copied by root, and so belongs to root, is given back', {
  skip: requires('root'),
}, async () => {
  const dataDir = join(temporaryFolder({ mode: 0o711 }), 'postgres');
  const first = await startServer({ dataDir, settings: careless });
  await sql(first.url, 'CREATE TABLE kept AS SELECT 1 AS value');
  await first.stop();
  execFileSync('chown', ['-R', '0:0', first.dataDir]);
  chmodSync(first.dataDir, 0o755);

  const second = await startServer({ dataDir, settings: careless });

  assert.deepEqual(await sql(second.url, 'SELECT value FROM kept'), [{ value: 1 }]);
  await second.stop();
});

test("an ordinary user's database is run by root as that user", { skip: requires('root') }, async () => {
  const { uid, gid } = nobody();
  const project = temporaryFolder({ mode: 0o700 });
  chownSync(project, uid, gid);
  const clone = copyClone(join(temporaryFolder({ mode: 0o711 }), 'clone'));
  const dataDir = join(project, 'postgres');
  const options = { dataDir, settings: careless, systemFolders: [join(project, 'cache')] };
  const first = await startServer(options, { clone, uid, gid });
  await first.stop();

  const second = await startServer(options, { clone });

  assert.equal(second.dataDir, first.dataDir);
  assert.equal(userOf(second.pid), uid);
  await second.stop();
});

test('an ordinary user starts it, from a copy where the installation lacks links and is not his', {
  skip: requires('root'),
}, async () => {
  const { uid, gid } = nobody();
  const clone = copyClone(join(temporaryFolder({ mode: 0o711 }), 'clone'));
  const home = temporaryFolder({ mode: 0o700 });
  chownSync(home, uid, gid);
  const systemFolder = join(home, '.cache', 'rowlock');
  const options = { dataDir: join(home, 'data', 'postgres'), settings: careless, systemFolders: [systemFolder] };

  const server = await startServer(options, { clone, uid, gid });

  assert.equal(userOf(server.pid), uid);
  assert.equal(server.dataDir, join(realpathSync(home), 'data', 'postgres'));
  assert.equal(copiesIn(systemFolder).length, 1);
  await server.stop();
});

test('an ordinary user may not use the database of another, and is told whose it is', {
  skip: requires('root'),
}, async () => {
  const { uid, gid } = nobody();
  const clone = copyClone(join(temporaryFolder({ mode: 0o711 }), 'clone'));
  const folder = temporaryFolder({ mode: 0o711 });
  const dataDir = join(folder, 'postgres');
  const first = await startServer({ dataDir, settings: careless });
  const owner = userOf(first.pid);
  await first.stop();
  chmodSync(folder, 0o777);
  chownSync(first.dataDir, owner === uid ? 1 : owner, gid);

  const attempt = startServer({ dataDir, systemFolders: [join(folder, 'copies')] }, { clone, uid, gid });

  await assert.rejects(attempt, { reason: 'data_folder_unreachable', message: /belongs to user \d+/ });
});

test('library links that no install script made are made where that is possible', async () => {
  const clone = copyClone(join(temporaryFolder({ mode: 0o711 }), 'clone'));
  const lib = join(nativeFolder(clone), 'lib');
  const links = (): number =>
    readdirSync(lib, { withFileTypes: true }).filter((entry) => entry.isSymbolicLink()).length;
  const systemFolder = join(temporaryFolder({ mode: 0o711 }), 'rowlock');
  const before = links();
  const dataDir = join(temporaryFolder({ mode: 0o711 }), 'postgres');

  const server = await startServer({ dataDir, settings: careless, systemFolders: [systemFolder] }, { clone });

  assert.equal(before, 0);
  assert.ok(links() > 0 || process.platform !== 'linux');
  assert.deepEqual(copiesIn(systemFolder), []);
  await server.stop();
});

test('an installation without optional packages is refused with the command that adds them', async () => {
  const clone = copyClone(join(temporaryFolder(), 'clone'), { except: [platformPackage] });

  const attempt = startServer({ dataDir: join(clone, 'postgres') }, { clone });

  await assert.rejects(attempt, { reason: 'binaries_missing', message: /npm ci --include=optional/ });
});

test('root without the right to change users is told what to do', { skip: requires('root', 'setpriv') }, async () => {
  const dataDir = join(temporaryFolder({ mode: 0o711 }), 'postgres');
  const through = ['setpriv', '--bounding-set', '-setuid,-setgid', '--inh-caps', '-setuid,-setgid', '--'];

  const attempt = startServer({ dataDir }, { through });

  await assert.rejects(attempt, { reason: 'no_unprivileged_user', message: /useradd --system rowlock/ });
});

test('programs that cannot run anywhere are refused with what was tried', { skip: requires('root') }, async () => {
  const clone = copyClone(join(temporaryFolder({ mode: 0o711 }), 'clone'));
  const open = temporaryFolder({ mode: 0o777 });
  execFileSync('truncate', ['-s', '100', join(nativeFolder(clone), 'bin', 'postgres')]);

  const attempt = startServer({ dataDir: join(clone, 'postgres'), systemFolders: [join(open, 'copies')] }, { clone });

  await assert.rejects(attempt, { reason: 'binaries_unusable', message: /Tried:\n {2}\// });
});

test('a full disk is named as such, and nothing half made is left on it', {
  skip: requires('root', 'mount'),
}, async (t) => {
  const disk = temporaryFolder({ mode: 0o711 });
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m,mode=0711', 'tmpfs', disk]);
  if (mounted.status !== 0) return t.skip('needs mount: this machine does not allow it');
  t.after(() => execFileSync('umount', [disk]));

  const attempt = startServer({ dataDir: join(disk, 'postgres') });

  await assert.rejects(attempt, { reason: 'disk_full', message: /Free some space/ });
  assert.deepEqual(readdirSync(disk), ['postgres.password']);
});

test('a cluster outside is removed once it is of no use to anybody, and only then', {
  skip: requires('root'),
}, async () => {
  const { clone, dataDir, systemFolder } = closedProject();
  const other = closedProject();
  mkdirSync(clone);
  mkdirSync(other.clone);
  const clusters = (): number => readdirSync(join(systemFolder, 'clusters')).length;
  const kept = await startServer({ dataDir, settings: careless, systemFolders: [systemFolder] });
  await kept.stop();
  const ephemeral = { dataDir: other.dataDir, ephemeral: true, settings: careless, systemFolders: [systemFolder] };
  const first = await startServer(ephemeral);
  await killWatchdogOf(first.process);
  await first.kill();
  process.kill(first.pid, 'SIGKILL');
  await until(() => !isRunning(first.pid));
  execFileSync('rm', ['-rf', other.dataDir]);
  assert.equal(clusters(), 2);

  const second = await startServer(ephemeral);

  assert.equal(clusters(), 2, 'the abandoned one went, the referenced one stayed, a new one came');
  assert.ok(existsSync(kept.dataDir));
  await second.stop();
  assert.equal(clusters(), 1);
});
