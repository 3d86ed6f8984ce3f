import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkVersion } from './database-checks.ts';

/** Versions that are not here to be asked, so only the judgement is tested. */
const judged = (server_version_num: number): string =>
  checkVersion('database', { server_version_num, server_version: String(server_version_num), role: 'r' }).state;

test('a minor version with known holes in row-level security is warned of, and an old major version is refused', () => {
  assert.deepEqual([150_013, 160_009, 170_005].map(judged), ['warn', 'warn', 'warn']);
  assert.deepEqual([150_014, 160_010, 170_006, 180_000, 190_001].map(judged), ['ok', 'ok', 'ok', 'ok', 'ok']);
  assert.deepEqual([140_020, 90_624].map(judged), ['fail', 'fail']);
});
