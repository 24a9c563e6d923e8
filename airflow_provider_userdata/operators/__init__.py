"""Airflow's operators: arguments in, a report out."""
