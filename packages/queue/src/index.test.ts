import assert from 'node:assert/strict';
import { test } from 'node:test';

test('the package offers what its README uses', async () => {
  const queue = await import('./index.ts');

  for (const name of ['Worker', 'Client', 'migrate', 'planMigration', 'migrationSql', 'JobCancel', 'JobSnooze']) {
    assert.equal(typeof queue[name as keyof typeof queue], 'function', name);
  }
});
