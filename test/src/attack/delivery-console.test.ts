/**
 * Rows 117 and 118 of the list of attacks, without a browser: what the console's pages allow themselves and others. That
 * hostile names do nothing in a real browser is for the tests of the browser.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { siteFolder } from '@rowlock/console';
import { sendPlainly } from './hand-signed-url.ts';
import { type Attacked, assertRefused, attacked } from './standing.ts';

let open: Attacked;

before(async () => {
  open = await attacked({ config: { console_folder: siteFolder } });
});
afterEach(() => open.assertUnharmed());
after(() => open.stop());

/** Every script of the console, found as a browser finds it: from the page, through its imports. */
async function scripts(): Promise<ReadonlyMap<string, string>> {
  const page = await (await open.service.fetch('/console/')).text();
  const found = new Map<string, string>();
  const waiting = [...page.matchAll(/<script[^>]* src="([^"]+)"/g)].map(
    ([, src = '']) => new URL(src, `${open.service.url}/console/`),
  );
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next.pathname)) continue;
    const answer = await fetch(next);
    assert.equal(answer.status, 200, next.pathname);
    const text = await answer.text();
    found.set(next.pathname, text);
    for (const [, from = ''] of text.matchAll(/(?:from|import)\s*\(?'(\.[^']+)'/g)) waiting.push(new URL(from, next));
  }
  return found;
}

/** What would make markup, or code, of a text. */
const dangerous =
  /\b(innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|parseFromString|setHTMLUnsafe|srcdoc|eval)\b|document\.write|new Function|set(Timeout|Interval)\(\s*['"`]/;

test('117 nothing in the console makes markup or code of a text', async () => {
  const found = await scripts();

  assert.ok(found.size > 10, `${found.size} scripts`);
  for (const [path, text] of found) assert.doesNotMatch(text, dangerous, path);
  assert.match("node.innerHTML = '<b>'", dangerous, 'a control');
});

test('117 the console allows no script but its own, inline or from elsewhere', async () => {
  for (const path of ['/console/', '/console/index.html']) {
    const answer = await open.service.fetch(path);
    const policy = answer.headers.get('content-security-policy') ?? '';
    const directives = new Map(
      policy.split(';').map((each) => {
        const [name = '', ...values] = each.trim().split(/\s+/);
        return [name, values] as const;
      }),
    );

    assert.deepEqual(directives.get('default-src'), ["'none'"]);
    // Bytes may go to the stores of the configuration; nothing is loaded from them.
    const { origin } = new URL(open.service.config.backend.kind === 'disk' ? open.service.config.backend.endpoint : '');
    assert.deepEqual(directives.get('connect-src'), ["'self'", origin]);
    assert.doesNotMatch(policy.replace(` ${origin};`, ';'), /unsafe-|\*|https?:|data:/);
    for (const value of directives.get('script-src') ?? ['none at all']) {
      assert.match(value, /^('self'|'sha256-[A-Za-z0-9+/=]{44}')$/);
    }
    assert.deepEqual(directives.get('base-uri'), ["'none'"]);
    assert.deepEqual(directives.get('form-action'), ["'none'"]);
    assert.doesNotMatch(await answer.text(), /\son\w+=|javascript:/i);
  }
});

test('117 an error is data and never a page, whatever was asked for', async () => {
  const markup = encodeURIComponent('<script>alert(1)</script>');
  for (const path of [
    `/${markup}`,
    `/storage/v1/object/${markup}/${markup}`,
    `/storage/v1/bucket/${markup}`,
    `/storage/v1/object/sign/${markup}/x?token=${markup}`,
    `/rpc/${markup}`,
    `/rpc/get_upload_url?${markup}=1`,
    `/console/${markup}`,
    '/<script>alert(1)</script>',
  ]) {
    const answer = await sendPlainly(open.service.url, { method: 'GET', path, headers: { accept: 'text/html' } });
    assert.ok(answer.status >= 400, path);
    assert.match(String(answer.headers['content-type']), /^application\/json/, path);
    assert.doesNotThrow(() => JSON.parse(answer.text) as unknown, path);
  }
  const door = await sendPlainly(open.service.url, { method: 'GET', path: `/civic-os-files/${markup}?${markup}` });
  assert.match(String(door.headers['content-type']), /^application\/xml/);
  assert.doesNotMatch(door.text, /<script/);
});

test('118 no page frames the console', async () => {
  for (const path of ['/console/', '/console/index.html']) {
    const { headers } = await open.service.fetch(path);
    assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
    assert.equal(headers.get('x-frame-options'), 'DENY');
    assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin');
  }
});

test('118 nothing redirects to where a request says', async () => {
  const paths = [
    '/console',
    '/console?next=https://evil.com',
    '/console?redirect=//evil.com',
    '//evil.com/console',
    '/console//evil.com',
    '/console/..//evil.com',
    '/console/%2f%2fevil.com',
    '/console\\evil.com',
    '/\\evil.com/console',
    '/storage/v1/object/public/plaza/x?success_action_redirect=https://evil.com',
  ];
  const headers = { host: 'evil.com', 'x-forwarded-host': 'evil.com', 'x-forwarded-proto': 'javascript' };

  for (const path of paths) {
    for (const each of [{}, headers]) {
      const answer = await sendPlainly(open.service.url, { method: 'GET', path, headers: each });
      const location = answer.headers.location;
      assert.ok(location === undefined || location === 'console/', `${path}: ${location}`);
      assert.doesNotMatch(String(answer.headers['refresh']), /evil/);
    }
  }
  assert.equal((await fetch(`${open.service.url}/console`)).url, `${open.service.url}/console/`, 'a control');
});

test('118 the console has no file but its own', async () => {
  for (const path of [
    '..%2fpackage.json',
    '%2e%2e/package.json',
    '../../package.json',
    'main.test.js',
    '.tsbuildinfo',
    'src/main.ts',
  ]) {
    const answer = await sendPlainly(open.service.url, { method: 'GET', path: `/console/${path}` });
    assert.equal(answer.status, 404, path);
  }
  await assertRefused(await open.service.fetch('/console/none.js'), 404, 'route_not_found');
});
