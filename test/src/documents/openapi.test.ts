/** The description of the API is valid OpenAPI, says of every route what a client must know, and says what is true. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { errorSpellings } from '@rowlock/client/contract';
import { startService, type TestService } from '@rowlock/test-harness';
import { Validator } from '@seriousme/openapi-schema-validator';

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly unknown[];
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly description?: string }[];
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly $ref?: string }>>;
}

interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly properties?: object; readonly required?: readonly string[] }>>;
  };
}

let service: TestService;
let description: Description;
let operations: readonly (readonly [string, string, Operation])[];

before(async () => {
  service = await startService({ workers: false });
  description = (await (await service.fetch('/openapi.json')).json()) as Description;
  operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [method.toUpperCase(), path, operation] as const),
  );
});
after(() => service.stop());

test('it is valid', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(description) as never);

  assert.deepEqual(errors ?? [], []);
  assert.ok(valid);
});

test('a description with a fault is not: the validator looks', async () => {
  const [path = ''] = Object.keys(description.paths);
  const broken = { ...description, paths: { [path]: { get: { responses: { 'two hundred': {} } } } } };

  assert.equal((await new Validator().validate(broken)).valid, false);
});

test('every operation has an id of its own, a summary, a group, answers, the error, and says who may ask', () => {
  const ids = operations.map(([, , { operationId }]) => operationId);

  assert.equal(new Set(ids).size, ids.length, `ids are unique: ${ids.filter((id, at) => ids.indexOf(id) !== at)}`);
  for (const [method, path, operation] of operations) {
    const name = `${method} ${path}`;
    const codes = Object.keys(operation.responses);
    assert.match(operation.operationId, /^[a-z][A-Za-z0-9]+$/, name);
    assert.ok((operation.summary ?? '').length > 5, `${name} has a summary`);
    assert.equal(operation.tags?.length, 1, `${name} has a tag`);
    assert.ok(Array.isArray(operation.security), `${name} says who may ask`);
    assert.ok(
      codes.some((code) => /^(101|2..)$/.test(code)),
      `${name} says what is answered`,
    );
    assert.equal(operation.responses['default']?.$ref, '#/components/responses/Error', name);
  }
});

test('no answer is left to be guessed', () => {
  const guessed = operations.filter(
    ([, , { responses }]) => responses['200']?.description === 'Done' && !hasBody(responses['200']),
  );

  assert.deepEqual(
    guessed.map(([method, path]) => `${method} ${path}`),
    [],
    'these routes are missing in packages/server/src/http/openapi/answers.ts',
  );
});

const hasBody = (response: object): boolean => 'content' in response;

test('every parameter of a path is described, and every description belongs to one', () => {
  for (const [method, path, { parameters = [] }] of operations) {
    const named = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
    const described = parameters.filter((each) => each.in === 'path');

    assert.deepEqual(described.map(({ name }) => name).sort(), named.sort(), `${method} ${path}`);
    for (const { name, description: text } of described) assert.ok(text, `${method} ${path}: ${name}`);
  }
});

test('every reference leads somewhere', () => {
  const references = new Set(
    [...JSON.stringify(description).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path),
  );

  for (const reference of references) {
    let found: unknown = description;
    for (const step of (reference ?? '').split('/')) {
      found = (found as Readonly<Record<string, unknown>> | undefined)?.[step];
    }
    assert.ok(found, reference);
  }
});

test('every error that can be answered is among the reasons', () => {
  const { reason } = (description.components.schemas['Error']?.properties ?? {}) as {
    readonly reason: { readonly enum: readonly string[] };
  };

  assert.deepEqual([...reason.enum].sort(), Object.keys(errorSpellings).sort());
});

test('what is answered has exactly what the schema requires, and nothing that it does not know', async () => {
  const as = 'olivia';
  const json = { 'content-type': 'application/json' };
  const bucket = await service.fetch('/storage/v1/bucket', {
    as,
    method: 'POST',
    headers: json,
    body: '{"name":"vault"}',
  });
  const object = await service.fetch('/storage/v1/object/vault/a.txt', { as, method: 'POST', body: 'a' });
  const info = await service.fetch('/storage/v1/object/info/vault/a.txt', { as });
  const sign = await service.fetch('/storage/v1/object/sign/vault/a.txt', {
    as,
    method: 'POST',
    headers: json,
    body: '{}',
  });
  const changes = await service.fetch('/storage/v1/changes?since=oldest&wait=5', { as });
  const page = (await changes.json()) as { readonly changes: readonly unknown[] };
  const answers: readonly (readonly [string, unknown])[] = [
    ['Bucket', await bucket.json()],
    ['UploadedObject', await object.json()],
    ['ObjectInfo', await info.json()],
    ['SignedUrl', await sign.json()],
    ['ChangePage', page],
    ['Change', page.changes.at(-1)],
    ['Error', await (await service.fetch('/storage/v1/bucket/none', { as })).json()],
  ];

  for (const [name, answer] of answers) {
    const { properties = {}, required = [] } = description.components.schemas[name] ?? assert.fail(name);
    const keys = Object.keys(answer as object);
    assert.deepEqual(
      required.filter((key) => !keys.includes(key)),
      [],
      `${name}: missing`,
    );
    assert.deepEqual(
      keys.filter((key) => !(key in properties)),
      [],
      `${name}: not described`,
    );
  }
});
