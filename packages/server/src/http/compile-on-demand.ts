/**
 * Lets the schemas of routes be compiled when something is there to be validated by them: to compile all takes longer than
 * the rest of a start, and few processes need all. It changes no answer. Invariant: a schema is compiled once at most.
 */
import type { FastifyServerOptions } from 'fastify';

/** The validator that Fastify makes for a server. */
type Ajv = Parameters<NonNullable<NonNullable<FastifyServerOptions['ajv']>['onCreate']>>[0];

interface Validate {
  (data: unknown): unknown;
  errors?: unknown;
}

/** Makes a validator put off what it compiles; to be called before it is given any schema. */
export function compileOnDemand(ajv: Ajv): void {
  const compile = ajv.compile.bind(ajv) as (schema: object) => Validate;
  const later = (schema: object): Validate => {
    let compiled: Validate | undefined;
    const validate: Validate = (data) => {
      compiled ??= compile(schema);
      const verdict = compiled(data);
      validate.errors = compiled.errors;
      return verdict;
    };
    return validate;
  };
  Object.assign(ajv, { compile: later });
}
