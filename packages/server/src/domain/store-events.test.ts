/** Events as stores document them and as they come, whole and broken. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isSubscribeUrl, readStoreEvents } from './store-events.ts';

/** As AWS documents its notifications (event version 2.1). */
const aws = (key: string, eventName = 'ObjectCreated:Put'): Readonly<Record<string, unknown>> => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  awsRegion: 'eu-central-1',
  eventTime: '2026-11-22T00:00:00.000Z',
  eventName,
  userIdentity: { principalId: 'AWS:AIDAEXAMPLE' },
  requestParameters: { sourceIPAddress: '192.0.2.1' },
  responseElements: { 'x-amz-request-id': 'C3D13FE58DE4C810', 'x-amz-id-2': 'FMyUVURIY8' },
  s3: {
    s3SchemaVersion: '1.0',
    configurationId: 'uploads',
    bucket: { name: 'files', ownerIdentity: { principalId: 'A3NL1KOZZKExample' }, arn: 'arn:aws:s3:::files' },
    object: { key, size: 1, eTag: 'd41d8cd98f00b204e9800998ecf8427e', sequencer: '0055AED6DCD90281E5' },
  },
});
const minio = {
  EventName: 's3:ObjectCreated:Put',
  Key: 'files/issue/1/a.jpg',
  Records: [{ ...aws('issue%2F1%2Fa.jpg', 's3:ObjectCreated:Put'), eventSource: 'minio:s3' }],
};
const ceph = {
  Records: [
    { ...aws('issue/1/a.jpg', 'ObjectCreated:Put'), eventSource: 'ceph:s3', eventId: '1.2.3', opaqueData: 'x' },
  ],
};
const eventBridge = {
  version: '0',
  id: '17793124-05d4-b198-2fde-7ededc63b103',
  'detail-type': 'Object Created',
  source: 'aws.s3',
  account: '111122223333',
  detail: { version: '0', bucket: { name: 'files' }, object: { key: 'issue/1/a.jpg', size: 5 }, reason: 'PutObject' },
};
const sns = (message: unknown): Readonly<Record<string, unknown>> => ({
  Type: 'Notification',
  MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
  TopicArn: 'arn:aws:sns:eu-central-1:123456789012:uploads',
  Subject: 'Amazon S3 Notification',
  Message: typeof message === 'string' ? message : JSON.stringify(message),
});
const said = [{ bucket: 'files', key: 'issue/1/a.jpg' }];

describe('events of stores', () => {
  for (const [name, body] of Object.entries({
    'a notification of AWS': { Records: [aws('issue/1/a.jpg')] },
    'the end of an upload in parts': { Records: [aws('issue/1/a.jpg', 'ObjectCreated:CompleteMultipartUpload')] },
    MinIO: minio,
    Ceph: ceph,
    EventBridge: eventBridge,
    'a notification in an envelope of SNS': sns({ Records: [aws('issue/1/a.jpg')] }),
    'EventBridge in an envelope of SNS': sns(eventBridge),
  })) {
    test(`${name} says bucket and key`, () => {
      assert.deepEqual(readStoreEvents(body), { events: said, ignored: 0 });
    });
  }

  test('D17 every record counts, and keys are decoded as forms are: a plus is a space', () => {
    const keys = ['a+b%2Bc', 'gr%C3%B6%C3%9Fe.jpg', '%F0%9F%98%80', 'a%2520b'];

    const { events } = readStoreEvents({ Records: keys.map((key) => aws(key)) });

    assert.deepEqual(
      events.map(({ key }) => key),
      ['a b+c', 'größe.jpg', '😀', 'a%20b'],
    );
  });

  test('what is no creation, or cannot be read, is counted and otherwise ignored', () => {
    const bodies = [
      { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'files' },
      { Records: [aws('a', 'ObjectRemoved:Delete')] },
      { ...eventBridge, 'detail-type': 'Object Deleted' },
      { Records: [aws('%E0%A4%A')] },
      { Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: 7 }, object: { key: 'a' } } }] },
      { Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: [], object: 'a' } }] },
      { Records: [aws('k'.repeat(3073))] },
      { Records: [null] },
      sns('no JSON'),
      null,
      'text',
      7,
      {},
    ];

    for (const body of bodies)
      assert.deepEqual(readStoreEvents(body), { events: [], ignored: 1 }, JSON.stringify(body));
    assert.deepEqual(readStoreEvents({ Records: [] }), { events: [], ignored: 0 });
  });

  test('a request with more than a thousand events is refused', () => {
    const records = Array.from({ length: 1000 }, (_, n) => aws(`a${n}`));

    assert.equal(readStoreEvents({ Records: records }).events.length, 1000);
    assert.throws(() => readStoreEvents({ Records: [...records, aws('b')] }), { reason: 'invalid_request' });
  });

  test('SNS asks for a confirmation by a URL, which is believed only where it is one of SNS', () => {
    const url = 'https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=y';
    const asked = readStoreEvents({ Type: 'SubscriptionConfirmation', Token: 'y', SubscribeURL: url });
    const others = [
      url.replace('https:', 'http:'),
      url.replace('sns.', 'evil.'),
      url.replace('amazonaws.com', 'amazonaws.com.evil.example'),
      url.replace('amazonaws.com/', 'amazonaws.com:8443/'),
      url.replace('//sns', '//user:pw@sns'),
      url.replace('ConfirmSubscription', 'Subscribe'),
      'http://169.254.169.254/latest/meta-data',
      'sns',
    ];

    assert.deepEqual(asked, { events: [], ignored: 1, subscribe_url: url });
    assert.ok(isSubscribeUrl(url));
    for (const other of others) assert.equal(isSubscribeUrl(other), false, other);
  });
});
