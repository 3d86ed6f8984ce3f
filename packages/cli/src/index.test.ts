import { test } from 'node:test';

test('the package loads', async () => {
  await import('./index.ts');
});
