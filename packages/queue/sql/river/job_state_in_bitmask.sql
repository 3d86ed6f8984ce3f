-- Whether a state is one of those in which a unique job holds its key. The leftmost bit stands for the last state.
CREATE FUNCTION :"schema".river_job_state_in_bitmask(bitmask bit(8), state :"schema".river_job_state)
RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
  SELECT get_bit(bitmask, CASE state
    WHEN 'scheduled' THEN 0
    WHEN 'running' THEN 1
    WHEN 'retryable' THEN 2
    WHEN 'pending' THEN 3
    WHEN 'discarded' THEN 4
    WHEN 'completed' THEN 5
    WHEN 'cancelled' THEN 6
    WHEN 'available' THEN 7
  END) = 1
$$;
