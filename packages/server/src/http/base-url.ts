/** The base of absolute URLs in answers: what is configured, else how the client reached us. */
import type { FastifyRequest } from 'fastify';

/** Without a slash at its end. */
export function baseUrl(options: { readonly publicUrl: string | undefined }, request: FastifyRequest): string {
  return options.publicUrl ?? `${request.protocol}://${request.host}`;
}
