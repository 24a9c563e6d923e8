"""Commands: ``airflow userdata …``, and ``python -m airflow_provider_userdata.cli …`` where Airflow has no commands."""
