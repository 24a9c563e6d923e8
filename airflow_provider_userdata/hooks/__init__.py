"""Airflow's hooks: they hold the vendors' credentials."""
