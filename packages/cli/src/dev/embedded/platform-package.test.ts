import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@rowlock/test-harness';
import { EmbeddedPostgresError } from './embedded-error.ts';
import { completeInstall, findPlatformPackage } from './platform-package.ts';

test('the package of this machine carries PostgreSQL 18', async () => {
  const found = await findPlatformPackage();

  assert.equal(found.major, '18');
  assert.ok(existsSync(join(found.nativeFolder, 'bin', 'initdb')));
});

for (const [platform, advice] of [
  ['win32-x64', /WSL/],
  ['linux-riscv64', /DATABASE_URL/],
] as const) {
  test(`the platform ${platform} is refused with advice`, async () => {
    const attempt = findPlatformPackage(platform);

    await assert.rejects(attempt, (error: unknown) => {
      assert.ok(error instanceof EmbeddedPostgresError);
      assert.equal(error.reason, 'unsupported_platform');
      assert.match(error.message, advice);
      return true;
    });
  });
}

test('a platform whose package was not installed is refused with the command that installs it', async () => {
  const other = process.platform === 'darwin' ? 'linux-ppc64' : 'darwin-arm64';

  const attempt = findPlatformPackage(other);

  await assert.rejects(attempt, { reason: 'binaries_missing', message: /npm ci --include=optional/ });
});

test('missing links and executable bits are completed, in a copy under another name too', async () => {
  const native = join(temporaryFolder(), 'postgresql-copy');
  for (const folder of ['bin', 'lib']) mkdirSync(join(native, folder), { recursive: true });
  for (const program of ['postgres', 'initdb']) writeFileSync(join(native, 'bin', program), '', { mode: 0o644 });
  writeFileSync(join(native, 'lib', 'libx.so.1.2'), '');
  const links = [{ source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so.1' }];
  writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify(links));

  const results = [await completeInstall(native), await completeInstall(native)];

  assert.deepEqual(results, [true, true]);
  assert.equal(readlinkSync(join(native, 'lib', 'libx.so.1')), 'libx.so.1.2');
  assert.equal(statSync(join(native, 'bin', 'postgres')).mode & 0o777, 0o755);
});
