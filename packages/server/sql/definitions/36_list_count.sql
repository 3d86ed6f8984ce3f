-- How many entries a listing has, counted to a limit. It reads what it counts and spells none of it: folders are left by
-- seeking, as a page leaves them. It is asked once for a view, so that one plan for all roles will do.
CREATE OR REPLACE FUNCTION storage.list_count(wanted_bucket text, prefix text, delimited boolean, search text, count_max integer)
RETURNS integer
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  from_name text := prefix;
  until_name text := storage.end_of_prefix(prefix);
  wanted_text text := lower(search);
  counted integer := 0;
  rows_max integer := 1000;
  run record;
  folder text;
BEGIN
  PERFORM storage.search_as_caller();
  WHILE counted < count_max LOOP
    SELECT * INTO run FROM storage.list_run_up(
      wanted_bucket, from_name, until_name, length(prefix), delimited, wanted_text, rows_max, 1, true);
    counted := counted + run.entry_count;
    IF run.folder_name IS NOT NULL THEN
      folder := left(run.folder_name, length(prefix) + strpos(substr(run.folder_name, length(prefix) + 1), '/'));
      from_name := left(folder, -1) || '0';
      IF wanted_text = '' OR strpos(lower(substr(folder, length(prefix) + 1)), wanted_text) > 0 THEN
        counted := counted + 1;
      END IF;
      rows_max := greatest(8, least(1000, run.entry_count * 2));
    ELSE
      EXIT WHEN run.scanned < rows_max;
      from_name := run.last_name || chr(1);
      rows_max := least(rows_max * 4, 10000);
    END IF;
  END LOOP;
  RETURN least(counted, count_max);
END
$$;
