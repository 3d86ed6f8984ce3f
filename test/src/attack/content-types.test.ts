/** Rows 17 to 21, 28 and 29 of the list of attacks: bytes that are not what they are called, and bytes that would run. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, afterEach, before, test } from 'node:test';
import { deflateRawSync, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { type Attacked, assertRefused, attacked } from './standing.ts';

let attack: Attacked;
const as = 'olivia';
const html = '<!doctype html><script>alert(1)</script>';

before(async () => {
  attack = await attacked();
  await attack.database.query(`INSERT INTO storage.buckets (id, owner_id, policy, allowed_mime_types) VALUES
    ('box', 'olivia', 'public', NULL), ('pictures', 'olivia', 'public', '{image/*}'),
    ('exact', 'olivia', 'public', '{IMAGE/PNG,text/plain}')`);
  await attack.remember();
});
afterEach(() => attack.assertUnharmed());
after(() => attack.stop());

const put = (path: string, body: string | Uint8Array, type?: string, headers: Record<string, string> = {}) =>
  attack.service.fetch(`/storage/v1/object/${path}`, {
    as,
    method: 'PUT',
    body: Buffer.from(body),
    headers: { ...headers, ...(type === undefined ? {} : { 'content-type': type }) },
  });

interface Served {
  readonly content_type: string;
  readonly detected_type: string | null;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

/** Uploads bytes, looks at how they are served by every way, and removes them. */
async function served(body: string | Uint8Array, type?: string, name = 'x'): Promise<Served> {
  const path = `box/${encodeURIComponent(name)}`;
  assert.ok((await put(path, body, type)).ok, type);
  const info = await (await attack.service.fetch(`/storage/v1/object/info/${path}`, { as })).json();
  const signed = await attack.service.fetch(`/storage/v1/object/sign/${path}`, { as, method: 'POST' });
  const { url } = (await signed.json()) as { url: string };
  const read = await attack.service.fetch(`/storage/v1/object/public/${path}`);
  for (const other of [
    await fetch(url),
    await fetch(url, { method: 'HEAD' }),
    await attack.service.fetch(`/storage/v1/object/${path}`, { as, headers: { range: 'bytes=0-1' } }),
    await attack.service.fetch(`/storage/v1/object/authenticated/${path}`, { as, headers: { accept: 'text/html' } }),
  ]) {
    for (const name of ['content-type', 'content-disposition', 'content-security-policy', 'x-content-type-options']) {
      assert.equal(other.headers.get(name), read.headers.get(name), `${name} by another way`);
    }
    await other.arrayBuffer();
  }
  const bytes = Buffer.from(await read.arrayBuffer());
  await attack.service.fetch(`/storage/v1/object/${path}`, { as, method: 'DELETE' });
  return { ...(info as Served), headers: read.headers, bytes };
}

function assertHarmless({ headers }: Served, what: string): void {
  assert.match(headers.get('content-disposition') ?? '', /^attachment; filename="/, what);
  assert.equal(headers.get('content-security-policy'), "sandbox; default-src 'none'", what);
  assert.equal(headers.get('x-content-type-options'), 'nosniff', what);
}

test('17 HTML that is called an image is known for what it is and never shown', async () => {
  const disguises = [
    html,
    `\ufeff\n\t ${html}`,
    `<!-- x -->${html}`,
    '<SCRIPT >alert(1)</SCRIPT>',
    '<svg onload=alert(1)>',
  ];

  for (const body of disguises) {
    const found = await served(body, 'image/png', 'cat.png');

    assert.match(found.detected_type ?? '', /^(text\/html|image\/svg\+xml)$/, body);
    assertHarmless(found, body);
    await assertRefused(await put('pictures/cat.png', body.replace('<svg', '<html'), 'image/png'), 415);
  }
  for (const body of [Buffer.from(`\ufeff${html}`, 'utf16le'), Buffer.from(`${' '.repeat(60_000)}${html}`)]) {
    assertHarmless(await served(body, 'image/png'), 'another encoding, or far behind spaces');
  }
});

test('18 parameters, capitals and spaces of a type get past no list', async () => {
  for (const type of [
    'text/html;charset=utf-8',
    'TEXT/HTML',
    ' text/html',
    'image',
    'image/',
    '/png',
    '*/*',
    'image/*',
  ]) {
    await assertRefused(await put('pictures/a', 'x', type), 415, 'media_type_not_allowed');
  }
  for (const type of [
    'text/html,image/png',
    'image/png,text/html',
    'image/png text/html',
    'image/png/x',
    'image/pn\u00e9g',
  ]) {
    await assertRefused(await put('box/a', 'x', type), 415, 'media_type_not_allowed');
  }
  await assertRefused(await put('pictures/a', 'x'), 415, 'media_type_not_allowed');
  await assertRefused(await put('exact/a', 'x', 'image/jpeg'), 415, 'media_type_not_allowed');
  for (const [type, expected] of [
    ['image/svg+xml; x', 'image/svg+xml'],
    ['Text/HTML ; charset="utf-7"', 'text/html'],
  ] as const) {
    const found = await served('x', type);

    assert.equal(found.content_type, expected);
    assert.equal(found.headers.get('content-type'), expected, 'and no parameter is sent');
    assertHarmless(found, type);
  }
});

const activeTypes = [
  'text/html',
  'application/xhtml+xml',
  'image/svg+xml',
  'text/xml',
  'application/xml',
  'application/xslt+xml',
  'text/xsl',
  'application/mathml+xml',
  'application/rdf+xml',
  'application/owl+xml',
  'application/atom+xml',
  'application/xml-dtd',
  'application/vnd.wap.xhtml+xml',
  'text/x-server-parsed-html',
  'message/rfc822',
  'application/x-mimearchive',
  'application/x-shockwave-flash',
  'application/vnd.adobe.flash.movie',
  'text/calendar',
  'application/hta',
  'text/javascript',
  'application/javascript',
  'application/x-javascript',
  'text/ecmascript',
  'text/jscript',
  'text/livescript',
  'text/x-javascript',
  'text/vbscript',
  'application/wasm',
  'text/css',
  'text/x-component',
  'text/cache-manifest',
  'application/pdf',
  'application/x-httpd-php',
  'application/x-msdownload',
  'application/java-archive',
  'application/importmap+json',
  'text/x-unknown',
  'x/y',
  'image/svg',
  'image/x-svg+xml',
  'image/vnd.xml',
  'chemical/x-html',
];

test('19 what a browser might run is saved and never shown, whatever it is called', async () => {
  for (const type of activeTypes) assertHarmless(await served('x', type), type);
});

test('19 pictures, sound, films and plain text are shown', async () => {
  for (const type of [
    'image/png',
    'image/avif',
    'audio/mpeg',
    'video/mp4',
    'font/woff2',
    'text/plain',
    'application/json',
  ]) {
    const { headers } = await served('x', type);

    assert.equal(headers.get('content-disposition'), null, type);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  }
});

const svgs = [
  '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
  '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
  '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
  '<!DOCTYPE svg [<!ENTITY a "]>"><!ENTITY b "&a;&a;">]><svg>&b;</svg>',
  '<?xml-stylesheet href="x.css"?><svg><use href="http://127.0.0.1/#x"/><image href="file:///etc/passwd"/></svg>',
  `<!-- ${'<svg>'.repeat(50)} --><s:svg xmlns:s="http://www.w3.org/2000/svg"><foreignObject/></s:svg>`,
  `<svg>${'<g/>'.repeat(100_000)}</svg>`,
];

test('20 an SVG is never run, whatever it is called', async () => {
  for (const svg of svgs) {
    for (const type of ['image/svg+xml', 'image/png']) {
      const found = await served(svg, type);

      assert.match(found.detected_type ?? '', /^(image\/svg\+xml|text\/xml)$/, svg.slice(0, 100));
      assertHarmless(found, type);
    }
  }
});

test('20 markup that never ends to begin is looked at in one pass', async () => {
  for (const body of [
    `${'<!---->'.repeat(580)}x`,
    `${'<!-- - -- -->'.repeat(300)}<`,
    `<?xml?>${'<!doctype a>'.repeat(330)}x`,
    `${'<!doctype a['.repeat(330)}x`,
    '<!'.repeat(2000),
    `<${'a'.repeat(4000)}`,
    `${'\ufeff \n'.repeat(20_000)}<x`,
  ]) {
    const uploaded = await attack.service.fetch('/storage/v1/object/box/slow', {
      as,
      method: 'PUT',
      body: Buffer.from(body),
      signal: AbortSignal.timeout(10_000),
    });

    assert.ok(uploaded.ok);
    assert.equal((await attack.service.fetch('/healthz', { signal: AbortSignal.timeout(10_000) })).status, 200);
  }
  await attack.service.fetch('/storage/v1/object/box/slow', { as, method: 'DELETE' });
});

test('21 a polyglot has one type, by its first bytes, and is served by one', async () => {
  const picture = sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } });
  const zip = Buffer.concat([
    Buffer.from('PK\u0003\u0004', 'latin1'),
    deflateRawSync('x'),
    Buffer.from('PK\u0005\u0006', 'latin1'),
  ]);
  const [gif, jpeg, png] = await Promise.all([
    picture.gif().toBuffer(),
    picture.jpeg().toBuffer(),
    picture.png().toBuffer(),
  ]);
  const pdf = Buffer.from('%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n');
  const polyglots: readonly (readonly [string, Buffer, string])[] = [
    ['GIF and archive', Buffer.concat([gif, zip]), 'image/gif'],
    ['PDF and archive', Buffer.concat([pdf, zip]), 'application/pdf'],
    ['JPEG and HTML', Buffer.concat([jpeg.subarray(0, 2), comment(html), jpeg.subarray(2)]), 'image/jpeg'],
    ['PNG and PHP', Buffer.concat([png, Buffer.from('<?php system($_GET[0]); ?>')]), 'image/png'],
    ['HTML and GIF', Buffer.concat([Buffer.from(html), gif]), 'text/html'],
  ];

  for (const [what, bytes, type] of polyglots) {
    const found = await served(bytes, 'image/png');

    assert.equal(found.detected_type, type, what);
    assert.equal(found.headers.get('content-type'), 'image/png', 'what was declared, and no sniffing');
    assert.equal(found.headers.get('x-content-type-options'), 'nosniff');
    assert.deepEqual(found.bytes, bytes);
    if (!type.startsWith('image/')) assertHarmless(found, what);
  }
  assertHarmless(await served(Buffer.from('GIF89a=1;alert(1)'), 'text/javascript'), 'a script that begins like a GIF');
});

/** A comment segment of JPEG. */
function comment(text: string): Buffer {
  const head = Buffer.from([0xff, 0xfe, 0, 0]);
  head.writeUInt16BE(text.length + 2, 2);
  return Buffer.concat([head, Buffer.from(text)]);
}

test('28 a compressed body is kept as it came and never inflated', async () => {
  const bomb = gzipSync(Buffer.alloc(50 * 2 ** 20));

  const uploaded = await put('box/bomb', bomb, 'text/plain', { 'content-encoding': 'gzip' });
  const read = await attack.service.fetch('/storage/v1/object/box/bomb', { as });
  const bytes = Buffer.from(await read.arrayBuffer());
  const info = (await (await attack.service.fetch('/storage/v1/object/info/box/bomb', { as })).json()) as Served;

  assert.equal(((await uploaded.json()) as { size: number }).size, bomb.byteLength);
  assert.deepEqual(bytes, bomb);
  assert.equal(read.headers.get('content-encoding'), null);
  assert.equal(info.detected_type, 'application/gzip');
  await assertRefused(await put('pictures/a.png', bomb, 'image/png', { 'content-encoding': 'gzip' }), 415);
  await attack.service.fetch('/storage/v1/object/box/bomb', { as, method: 'DELETE' });
});

test('29 names that servers and desktops obey are data, and programs are saved and not shown', async () => {
  const names = [
    'a.php.jpg',
    '.htaccess',
    'web.config',
    'x.jpg.exe',
    'x.lnk',
    'desktop.ini',
    '.well-known',
    'index.html',
  ];
  for (const name of names) await put(`box/${name}`, 'x', 'image/jpeg');

  const onDisk = (await readdir(attack.service.root, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  for (const name of names) {
    const path = `/storage/v1/object/box/${name}`;
    const read = await attack.service.fetch(path, { as });
    assert.equal(read.headers.get('content-type'), 'image/jpeg');
    await attack.service.fetch(path, { as, method: 'DELETE' });
  }

  assert.ok(onDisk.length >= names.length);
  for (const { name } of onDisk) assert.match(name, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  const programs = [
    Buffer.concat([Buffer.from('MZ'), Buffer.alloc(200)]),
    Buffer.concat([Buffer.from('7f454c46', 'hex'), Buffer.alloc(60)]),
  ];
  for (const program of programs) assertHarmless(await served(program, 'image/jpeg', 'x.jpg'), 'a program');
});
