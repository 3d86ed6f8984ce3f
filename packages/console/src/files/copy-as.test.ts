import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { copiedAction, quotedForScript, quotedForShell, quotedForSql } from './copy-as.ts';

const hostile = [
  "'; rm -rf / #",
  '$(id) `id` $HOME',
  'a"b\\c',
  "\\'); DROP TABLE x; --",
  '\u0024{process.exit()}',
  'line\u2028end\u2029\u202E',
  '%20 ? #',
  '</script>',
];

for (const name of hostile) {
  test(`the shell reads ${JSON.stringify(name)} as what it is`, () => {
    const read = execFileSync('/bin/sh', ['-c', `printf %s ${quotedForShell(name)}`], { encoding: 'utf8' });

    assert.equal(read, name);
  });

  test(`TypeScript reads ${JSON.stringify(name)} as what it is, and all of it can be seen`, () => {
    const text = quotedForScript(name);

    assert.equal(runInNewContext(text), name);
    assert.doesNotMatch(text, /[\p{Cf}\p{Zl}\p{Zp}]/u);
  });
}

test('a quote does not end a text of SQL', () => {
  assert.equal(quotedForSql("a'; DROP TABLE b; --"), "'a''; DROP TABLE b; --'");
});

for (const action of ['download', 'link', 'list', 'delete'] as const) {
  test(`what is copied for ${action} runs nothing of a name`, () => {
    const name = 'x\'$(touch ran)`touch ran`"; touch ran; #';
    const chosen = { bucket: 'box', files: [name], folders: [`${name}/`] };

    const { curl } = copiedAction(action, chosen, 'http://127.0.0.1:1');
    const script = `curl() { printf '%s\\n' "$@"; }\ntouch() { printf 'ran'; exit 9; }\n${curl}`;
    const printed = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', env: { ROWLOCK_KEY: 'a.b.c' } });

    assert.ok(printed.includes('Authorization: Bearer a.b.c'));
    assert.ok(!printed.startsWith('ran'));
  });
}
