"""HOW records travel: read, check, batch, send, record. Written once; knows no vendor and no Airflow."""
