-- Signed uploads. A ticket is the right to upload one object once, as who signed it: asked of the policies when it is
-- signed, when the bytes begin and when they are there. It has no key and no bytes: whoever uses it begins an upload of
-- their own, and of several at once the first commit takes the ticket.

-- Signs: asks as the caller, and keeps who that was.
CREATE OR REPLACE FUNCTION storage_internal.sign_upload(
  ticket_id uuid, bucket_id text, name text, caller_role text, claims text, overwrite boolean, lifetime interval,
  bound jsonb, size_cap bigint
) RETURNS timestamptz
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  u storage.uploads;
BEGIN
  u.id := ticket_id;
  u.bucket_id := bucket_id;
  u.name := name;
  u.caller_role := caller_role;
  u.caller_claims := claims::jsonb;
  u.content_type := bound ->> 'content_type';
  u.user_metadata := nullif(bound -> 'user_metadata', 'null');
  u.if_match := (SELECT array_agg(tag) FROM jsonb_array_elements_text(nullif(bound -> 'if_match', 'null')) AS tag);
  u.if_none_match := (SELECT array_agg(tag) FROM jsonb_array_elements_text(nullif(bound -> 'if_none_match', 'null')) AS tag);
  PERFORM storage_internal.become(caller_role, claims, 'storage.object.sign_upload');
  -- A type that is not bound is asked when the bytes come.
  u := storage.ask_upload(u, overwrite, size_cap, u.content_type IS NOT NULL);
  PERFORM set_config('role', 'none', true);
  RETURN storage_internal.open_ticket(
    u, now() + lifetime, (bound ->> 'size_max')::bigint, decode(bound ->> 'sha256', 'hex'));
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.open_ticket(
  u storage.uploads, deadline timestamptz, bound_size bigint, bound_sha256 bytea
) RETURNS timestamptz
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO storage.upload_tickets (id, bucket_id, name, caller_role, caller_claims, content_type, size_max, sha256,
    overwrite, user_metadata, if_match, if_none_match, expires_at)
  VALUES (u.id, u.bucket_id, u.name, u.caller_role, u.caller_claims, u.content_type, bound_size, bound_sha256,
    u.overwrite, u.user_metadata, u.if_match, u.if_none_match, deadline)
  RETURNING expires_at
$$;

-- The ticket that an upload of this type may begin by. Expiry counts here and not later.
CREATE OR REPLACE FUNCTION storage_internal.ticket(wanted uuid, wanted_type text) RETURNS storage.upload_tickets
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  ticket storage.upload_tickets;
BEGIN
  SELECT * INTO ticket FROM storage.upload_tickets WHERE id = wanted;
  IF NOT FOUND THEN
    PERFORM storage.refuse('upload_gone', 'the signed upload was used already, or never was');
  ELSIF ticket.expires_at <= now() THEN
    PERFORM storage.refuse('url_expired', 'the signed upload has expired');
  ELSIF ticket.content_type IS NOT NULL AND wanted_type IS DISTINCT FROM ticket.content_type THEN
    PERFORM storage.refuse('media_type_not_allowed', format('the upload is signed for %s only', ticket.content_type));
  END IF;
  RETURN ticket;
END
$$;

-- Begins an upload by a ticket, as who signed it. What the ticket binds wins over what is sent now.
CREATE OR REPLACE FUNCTION storage_internal.begin_ticket_upload(
  ticket_id uuid, upload_id uuid, version_id uuid, content_type text, declared_size bigint, cache_control text,
  user_metadata jsonb, backend text, key text, size_cap bigint, OUT size_max bigint, OUT sha256 bytea
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  ticket storage.upload_tickets;
  u storage.uploads;
BEGIN
  ticket := storage_internal.ticket(ticket_id, content_type);
  u.id := upload_id;
  u.version_id := version_id;
  u.kind := 'body';
  u.ticket_id := ticket_id;
  u.bucket_id := ticket.bucket_id;
  u.name := ticket.name;
  u.caller_role := ticket.caller_role;
  u.caller_claims := ticket.caller_claims;
  u.content_type := content_type;
  u.declared_size := declared_size;
  u.cache_control := cache_control;
  u.user_metadata := coalesce(ticket.user_metadata, user_metadata);
  u.if_match := ticket.if_match;
  u.if_none_match := ticket.if_none_match;
  PERFORM storage_internal.become(u.caller_role, u.caller_claims::text, 'storage.object.upload_signed');
  u := storage.ask_upload(u, ticket.overwrite, least(coalesce(ticket.size_max, size_cap), size_cap));
  PERFORM set_config('role', 'none', true);
  IF u.declared_size IS NULL THEN
    u.size_max := least(u.size_max, storage_internal.quota_room(u.bucket_id, u.name));
  END IF;
  PERFORM storage_internal.open_upload(u, backend, key, interval '0');
  size_max := u.size_max;
  sha256 := ticket.sha256;
END
$$;

-- Uses a ticket up, in the transaction that commits: the second waits here for the first, and finds nothing.
CREATE OR REPLACE FUNCTION storage_internal.take_ticket(u storage.uploads, true_sha256 bytea, detected text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  ticket storage.upload_tickets;
BEGIN
  DELETE FROM storage.upload_tickets WHERE id = u.ticket_id RETURNING * INTO ticket;
  IF NOT FOUND THEN
    PERFORM storage.refuse('upload_gone', 'the signed upload was used already');
  ELSIF ticket.sha256 IS NOT NULL AND true_sha256 IS DISTINCT FROM ticket.sha256 THEN
    PERFORM storage.refuse('bad_digest', 'the bytes do not have the SHA-256 that the upload is signed for');
  ELSIF ticket.content_type IS NOT NULL
    AND (u.content_type IS DISTINCT FROM ticket.content_type OR detected <> ticket.content_type) THEN
    PERFORM storage.refuse('media_type_not_allowed', format('the upload is signed for %s only', ticket.content_type));
  END IF;
END
$$;

-- Forgets tickets that expired, unless an upload that began in time is still on its way.
CREATE OR REPLACE FUNCTION storage_internal.forget_tickets(row_limit integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH gone AS (
    DELETE FROM storage.upload_tickets WHERE id IN (
      SELECT t.id FROM storage.upload_tickets AS t
      WHERE t.expires_at <= now() AND NOT EXISTS (SELECT FROM storage.uploads AS u WHERE u.ticket_id = t.id)
      ORDER BY t.expires_at LIMIT row_limit)
    RETURNING 1
  )
  SELECT count(*) FROM gone
$$;
