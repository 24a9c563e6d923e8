"""Airflow's hooks, one for each vendor: address and credentials from an Airflow connection."""
