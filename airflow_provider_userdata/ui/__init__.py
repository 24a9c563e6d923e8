"""Airflow's UI, from 3.1.1 on: the page *User data*, the tab *Upload*, and the endpoints that they read."""
