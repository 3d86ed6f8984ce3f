DROP TABLE :"schema".river_client_queue;
