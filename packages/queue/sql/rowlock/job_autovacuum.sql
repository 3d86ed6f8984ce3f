-- Every job leaves two dead rows behind it, so a fifth of the table is far too late to clean up.
ALTER TABLE :"schema".river_job SET (
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_cost_delay = 1
);
