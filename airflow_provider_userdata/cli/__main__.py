"""The earlier name of ``python -m airflow_provider_userdata``."""

from __future__ import annotations

from airflow_provider_userdata.__main__ import main

if __name__ == "__main__":
    main()
