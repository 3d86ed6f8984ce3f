import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestKind } from './request-kind.ts';

const expected: readonly (readonly [string, string | undefined, string | undefined])[] = [
  ['GET', '/storage/v1/object/:bucket/*', 'reads'],
  ['HEAD', '/storage/v1/object/:bucket/*', 'reads'],
  ['POST', '/storage/v1/object/list/:bucket', 'reads'],
  ['POST', '/storage/v1/object/list-v2/:bucket', 'reads'],
  ['POST', '/storage/v1/object/info/:bucket', 'reads'],
  ['POST', '/storage/v1/object/:bucket/*', 'writes'],
  ['PUT', '/storage/v1/object/:bucket/*', 'writes'],
  ['DELETE', '/storage/v1/object/:bucket', 'writes'],
  ['POST', '/storage/v1/object/move', 'writes'],
  ['POST', '/storage/v1/bucket', 'writes'],
  ['POST', '/storage/v1/object/sign/:bucket/*', 'signs'],
  ['POST', '/storage/v1/object/sign/:bucket', 'signs'],
  ['POST', '/storage/v1/object/upload/sign/:bucket/*', 'signs'],
  ['PUT', '/storage/v1/object/upload/sign/:bucket/*', 'writes'],
  ['POST', '/rpc/request_upload_url', 'signs'],
  ['POST', '/storage/v1/upload/multipart/:upload_id/sign', 'signs'],
  ['POST', '/storage/v1/upload/multipart/:upload_id/complete', 'writes'],
  ['GET', '/healthz', undefined],
  ['GET', '/metrics', undefined],
  ['PATCH', undefined, 'writes'],
  ['GET', undefined, 'reads'],
];

for (const [method, route, kind] of expected) {
  test(`${method} ${route ?? 'of no route'} is of the kind ${kind ?? 'that has no limit'}`, () => {
    const found = requestKind(method, route);

    assert.equal(found, kind);
  });
}
