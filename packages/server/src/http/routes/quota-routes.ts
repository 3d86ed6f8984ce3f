/** Quotas over HTTP: what is used of them, and what owners may keep. Those of buckets are set with the bucket. */
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { changeOwnerQuota, type QuotaUsage, showQuotas } from '../../operations/quotas.ts';
import type { AppOptions } from '../app-options.ts';
import { withCaller } from '../with-caller.ts';

const usageQuery = Type.Object({ bucket: Type.Optional(Type.String({ maxLength: 100 })) });
const limit = Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()]);
const ownerQuota = Type.Object({
  owner_id: Type.Union([Type.String({ minLength: 1, maxLength: 1024 }), Type.Null()]),
  quota_bytes: limit,
  quota_objects: limit,
});

function usageBody(usage: QuotaUsage): Record<string, unknown> {
  const limitOf = (value: string | null): number | null => (value === null ? null : Number(value));
  return {
    scope: usage.scope,
    bucket_id: usage.bucket_id,
    owner_id: usage.owner_id,
    used_bytes: Number(usage.bytes_used),
    used_objects: Number(usage.objects_used),
    reserved_bytes: Number(usage.bytes_reserved),
    reserved_objects: Number(usage.objects_reserved),
    quota_bytes: limitOf(usage.bytes_max),
    quota_objects: limitOf(usage.objects_max),
    holds: usage.counted,
  };
}

/** Registers the routes of quotas below the prefix. */
export function quotaRoutes(app: FastifyInstance, options: AppOptions): void {
  const tags = ['quotas'];
  app.get<{ Querystring: Static<typeof usageQuery> }>(
    '/quota',
    {
      schema: {
        tags,
        summary: "Show what is used of the caller's quotas and of their buckets'",
        querystring: usageQuery,
      },
    },
    withCaller(options, async (caller, request) =>
      (await showQuotas(options.context, caller, request.query.bucket)).map(usageBody),
    ),
  );
  app.put<{ Body: Static<typeof ownerQuota> }>(
    '/quota',
    {
      schema: {
        tags,
        summary: 'Set what one owner, or with null each owner, may keep in all buckets (service role)',
        body: ownerQuota,
      },
    },
    withCaller(options, async (caller, request) => {
      const { owner_id, quota_bytes, quota_objects } = request.body;
      await changeOwnerQuota(options.context, caller, owner_id, { bytes: quota_bytes, objects: quota_objects });
      return { message: 'Successfully updated' };
    }),
  );
}
