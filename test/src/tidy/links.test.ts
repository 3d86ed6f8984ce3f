import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deadLinks } from './links.ts';
import { anchorsIn, codeIn } from './markdown.ts';
import { assertTidy, readTree, sampleTree } from './tree.ts';

test('every relative link in a document leads somewhere', () => {
  assertTidy(deadLinks(readTree()));
});

test('missing files, anchors and images are reported in each kind of link', () => {
  const lines = [
    '[a](missing.md)',
    '![b](images/missing.png "a title")',
    '[c](guide.md#no-such-heading)',
    '[d](#nor-here)',
    '<img src="missing.svg" width="10">',
    '[e]: ../missing.md',
    '[f](/docs/missing.md)',
    '[g](%zz.md)',
  ];
  const files = sampleTree({ 'docs/a.md': lines.join('\n'), 'docs/guide.md': '# Guide' });

  assert.deepEqual(
    deadLinks(files)
      .map((found) => found.line)
      .sort((one, other) => one - other),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
});

test('links that lead somewhere, links to other sites, and links in code are not reported', () => {
  const files = sampleTree({
    'docs/a.md': [
      '# Here & there',
      '[a](guide.md#a-heading-1) [b](../LICENSE) [c](.) [d](how-to/) [e](#here--there) [f](/docs/guide.md)',
      '[g](https://example.com/x.md) [h](mailto:a@example.com) ![i](picture.png) [j](with%20space.md#anchor)',
      '```md',
      '[k](missing.md)',
      '```',
      '`[l](missing.md)` and <!-- [m](missing.md) -->',
    ].join('\n'),
    'docs/guide.md': '## A heading\n## A `heading`',
    'docs/how-to/x.md': '',
    'docs/picture.png': '',
    'docs/with space.md': '<a id="anchor"></a>',
    LICENSE: '',
  });

  assert.deepEqual(deadLinks(files), []);
});

test('anchors are spelled as GitHub spells them', () => {
  const anchors = anchorsIn('# A `code`, [link](x.md) & more!\n## Größe_1\n## Größe_1\n```\n# not one\n```\n');

  assert.deepEqual([...anchors], ['a-code-link--more', 'größe_1', 'größe_1-1']);
});

test('code is found inline and in fences, with its line', () => {
  const code = codeIn('Run `npm test`.\n\n```sh\nnpm start\nrowlock dev\n```\nand ``a `b` c``\n');

  assert.deepEqual(code, [
    { text: 'npm start', line: 4 },
    { text: 'rowlock dev', line: 5 },
    { text: 'npm test', line: 1 },
    { text: 'a `b` c', line: 7 },
  ]);
});
