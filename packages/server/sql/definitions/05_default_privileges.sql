-- What is created from here on belongs to nobody but its owner until it is granted by name. PostgreSQL's own default
-- gives EXECUTE on every new function to PUBLIC.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
