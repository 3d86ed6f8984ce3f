-- One job a key, while its state is among those that it named.
CREATE UNIQUE INDEX river_job_unique_idx ON :"schema".river_job (unique_key)
  WHERE unique_key IS NOT NULL
    AND unique_states IS NOT NULL
    AND :"schema".river_job_state_in_bitmask(unique_states, state);
