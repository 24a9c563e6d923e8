"""The pages of Airflow's UI, in a real browser: `make test-ui` runs them."""
