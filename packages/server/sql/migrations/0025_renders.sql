-- Pictures that are rendered when they are asked for. Each is a variant without a preset; what only the server needs to know
-- of it is here, where readers of the object do not see it.

ALTER TABLE storage.buckets
  -- How many bytes of such pictures a bucket keeps; those that were asked for longest ago go first. 0: none is kept.
  ADD COLUMN render_budget bigint NOT NULL DEFAULT 1073741824,
  ADD CONSTRAINT buckets_render_budget_not_negative CHECK (render_budget >= 0);

CREATE TABLE storage.renders (
  variant_id uuid PRIMARY KEY REFERENCES storage.variants (id) ON DELETE CASCADE,
  -- Whose budget it counts for: the bucket in which it was first asked for.
  bucket_id text COLLATE "C" NOT NULL,
  -- How often somebody began to render it, since it was last there.
  attempts integer NOT NULL DEFAULT 1,
  -- Who renders it, by the version that they mean to write; and until when nobody else does.
  render_id uuid NOT NULL,
  leased_until timestamptz NOT NULL
);
CREATE INDEX renders_bucket_id_idx ON storage.renders (bucket_id);
