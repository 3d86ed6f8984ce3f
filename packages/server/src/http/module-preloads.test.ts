import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withModulePreloads } from './module-preloads.ts';
import { siteFile } from './site-file.ts';

const script = (text: string) => siteFile(Buffer.from(text), 'text/javascript');
const files = new Map([
  [
    'dist/main.js',
    script(`import { a } from './parts/a.js';\nimport "./style.js";\nconst later = () => import('./late.js');`),
  ],
  ['dist/parts/a.js', script(`export { b } from "the-client";\nimport {\n  c,\n  d\n} from '../c.js';`)],
  ['dist/style.js', script(`import 'https://elsewhere.example/x.js';\nexport const text = "from './late.js'";`)],
  ['dist/c.js', script(`import { a } from './parts/a.js';`)],
  ['dist/late.js', script('')],
  ['client/index.js', script(`import './deep/one.js';`)],
  ['client/deep/one.js', script('')],
]);
const map = '<script type="importmap">{ "imports": { "the-client": "./client/index.js" } }</script>';
const entry = '<script type="module" src="dist/main.js"></script>';

test('every module that is imported at once is named, and none that is loaded later', () => {
  const page = withModulePreloads(`${map}${entry}`, files);

  const hrefs = [...page.matchAll(/<link rel="modulepreload" fetchpriority="low" href="([^"]+)">/g)].map(
    ([, href]) => href,
  );
  assert.deepEqual(hrefs, ['dist/parts/a.js', 'dist/style.js', 'client/index.js', 'dist/c.js', 'client/deep/one.js']);
  assert.ok(page.startsWith(`${map}<link`), 'the import map stays in front');
  assert.ok(page.endsWith(entry));
});

test('a page whose script imports nothing stays as it is', () => {
  const page = '<script type="module" src="dist/late.js"></script>';

  assert.equal(withModulePreloads(page, files), page);
});
