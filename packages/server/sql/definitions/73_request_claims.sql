-- Upload requests for signers that are told by NOTIFY instead of jobs: each is claimed by one of them, for a while.

-- Claims the oldest that wait, and those whose signer was not heard of for as long as a claim holds. What another signer
-- claims at this moment is passed over. The row says so: it is `processing` until it is signed.
CREATE OR REPLACE FUNCTION storage_internal.claim_requests(row_limit integer, hold interval) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE :"metadata".file_upload_requests AS r SET status = 'processing', updated_at = now()
  WHERE r.id IN (
    SELECT w.id FROM :"metadata".file_upload_requests AS w
    WHERE w.is_open AND (w.status = 'pending' OR w.status = 'processing' AND w.updated_at < now() - hold)
    ORDER BY w.created_at LIMIT row_limit FOR UPDATE SKIP LOCKED
  )
  RETURNING r.id
$$;
