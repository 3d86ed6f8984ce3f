DROP TABLE :"schema".river_client;
