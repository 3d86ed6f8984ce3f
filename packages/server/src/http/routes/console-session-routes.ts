/**
 * Signing in to the console by a link, in development only: a token that works once is given for a key. It answers to this
 * machine and to pages of this server, and makes links for the service role; without links there are no such routes.
 */
import { RowlockError } from '@rowlock/client/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { showCaller } from '../../operations/show-caller.ts';
import type { AppOptions, ConsoleSignIn } from '../app-options.ts';
import { withCaller } from '../with-caller.ts';

const sessionBody = Type.Object({ token: Type.String({ minLength: 1, maxLength: 200 }) });
const linkBody = Type.Object({ as: Type.Optional(Type.Union([Type.Literal('service'), Type.Literal('user')])) });

/**
 * Nobody but a page of this very server, on this machine. `Host` is on the list of names that are served by then; a page of
 * another origin cannot say ours.
 *
 * @throws RowlockError `not_allowed`
 */
function assertOwnPage(request: FastifyRequest): void {
  const address = request.socket.remoteAddress ?? '';
  if (!/^(?:::ffff:)?127\.|^::1$/.test(address)) {
    throw new RowlockError('not_allowed', 'Links sign in on the machine that runs the service only');
  }
  if (request.headers.origin !== `http://${request.headers.host}`) {
    throw new RowlockError('not_allowed', 'Links are exchanged by the console alone');
  }
}

/** Registers the routes that make and take links. */
export function consoleSessionRoutes(app: FastifyInstance, options: AppOptions, signIn: ConsoleSignIn): void {
  const hide = { hide: true };
  app.post<{ Body: Static<typeof sessionBody> }>(
    '/console/session',
    { schema: { ...hide, body: sessionBody } },
    async (request, reply) => {
      assertOwnPage(request);
      reply.header('cache-control', 'no-store');
      return { key: await signIn.links.redeem(request.body.token) };
    },
  );
  app.post<{ Body: Static<typeof linkBody> }>(
    '/console/links',
    { schema: { ...hide, body: linkBody } },
    withCaller(options, async (caller, request) => {
      if (!(await showCaller(options.context, caller)).is_service) {
        throw new RowlockError('not_allowed', 'Links are made by the service role');
      }
      return { token: signIn.links.issue(() => signIn.keyOf(request.body.as ?? 'service')) };
    }),
  );
}
