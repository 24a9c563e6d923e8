"""Airflow's operators, one for each vendor: arguments in, a report out."""
