/**
 * Makes the description of the API complete: what the schemas of the routes say of requests, and here of everything else:
 * who may ask, what is answered, how errors look. It changes nothing that a route does. Invariant: every operation has an
 * id, a summary, an answer, the error and a statement of who may ask.
 */
import type { SwaggerOptions } from '@fastify/swagger';
import { type Answer, answers, noTokenRoutes, signedRoutes, streamedBodies } from './answers.ts';
import { schemas } from './schemas.ts';

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly description?: string;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: unknown;
}

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

/** What `@fastify/swagger` is registered with. */
export function openapiOptions(version: string): SwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Rowlock',
        version,
        description:
          'Files in a PostgreSQL application, under the same lock as its rows. A token is a JWT whose role and claims ' +
          "PostgreSQL's policies judge; without one a request runs as the anonymous role. Names in paths are " +
          'percent-encoded once.',
        license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0.html' },
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          signed: { type: 'apiKey', in: 'query', name: 'token', description: 'the token of a signed URL' },
        },
      },
    },
    transformObject: (made) => {
      if (!('openapiObject' in made)) return made.swaggerObject;
      const document = made.openapiObject;
      const components = {
        ...document.components,
        schemas: { ...document.components?.schemas, ...schemas },
        responses: { ...document.components?.responses, Error: errorResponse },
      };
      const paths = complete((document.paths ?? {}) as unknown as Paths);
      return { ...document, paths, components } as unknown as typeof document;
    },
  };
}

const errorResponse = {
  description: 'What went wrong; `reason` is stable',
  headers: {
    'x-request-id': { schema: { type: 'string' }, description: 'stands in the log beside the cause' },
    'retry-after': { schema: { type: 'integer' }, description: 'seconds after which another try is worth it' },
  },
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
};

/** Methods of one route share what was made of it, so nothing is changed in place. */
function complete(paths: Paths): Record<string, Record<string, object>> {
  return Object.fromEntries(
    Object.entries(paths).map(([path, operations]) => [
      path,
      Object.fromEntries(
        Object.entries(operations).map(([method, operation]) => [method, completed(method, path, operation)]),
      ),
    ]),
  );
}

function completed(method: string, path: string, operation: Operation): object {
  const name = `${method.toUpperCase()} ${path}`;
  const parameters = (operation.parameters ?? []).map((parameter) =>
    parameter.in === 'path'
      ? { description: pathParameters[parameter.name] ?? 'part of the path', ...parameter }
      : parameter,
  );
  return {
    ...operation,
    operationId: operationId(method, path),
    security: securityOf(name),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(streamedBodies.has(name) ? { requestBody: anyBytes } : {}),
    responses: responsesOf(name, answers[name] ?? { description: 'Done' }),
  };
}

const anyBytes = {
  required: true,
  description: 'the bytes as they are',
  content: { '*/*': { schema: { type: 'string', format: 'binary' } } },
};

const pathParameters: Readonly<Record<string, string>> = {
  bucket: 'the bucket',
  id: 'the bucket, or what is named',
  name: 'the function',
  '*': 'the path of an object in its bucket, with its slashes',
};

/** `get /storage/v1/object/info/{bucket}/{*}` becomes `getObjectInfoByBucketAndPath`. */
function operationId(method: string, path: string): string {
  const words = path.replace(/^\/storage\/v1/, '').split('/');
  const fixed = words.filter((word) => word !== '' && !word.startsWith('{'));
  const variable = words
    .filter((word) => word.startsWith('{'))
    .map((word) => (word === '{*}' ? 'path' : word.slice(1, -1)));
  const capital = (word: string): string =>
    word
      .split(/[^A-Za-z0-9]+/)
      .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
      .join('');
  const by = variable.length === 0 ? '' : `By${variable.map(capital).join('And')}`;
  return `${method}${fixed.map(capital).join('')}${by}`;
}

/** Who may ask is for policies to say, so a token is optional but where none is looked at. */
function securityOf(name: string): readonly Readonly<Record<string, readonly string[]>>[] {
  if (signedRoutes.test(name)) return [{ signed: [] }];
  if (noTokenRoutes.test(name)) return [];
  return name === 'GET /metrics' ? [{}, { bearer: [] }] : [{ bearer: [] }, {}];
}

function responsesOf(name: string, answer: Answer): Record<string, unknown> {
  const { status = 200, description, schema, content = 'application/json', also = {} } = answer;
  const body =
    schema === undefined
      ? {}
      : {
          content: {
            [content]: { schema: typeof schema === 'string' ? { $ref: `#/components/schemas/${schema}` } : schema },
          },
        };
  const others = Object.entries(also).map(([code, text]) => [code, { description: text }]);
  return {
    [String(status)]: { description, ...(name.startsWith('HEAD ') ? {} : body) },
    ...Object.fromEntries(others),
    default: { $ref: '#/components/responses/Error' },
  };
}
