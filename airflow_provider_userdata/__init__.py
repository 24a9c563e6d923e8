"""Upload user data from Apache Airflow to Thymia, GeroSense and Ptengine, with every record accounted for."""

from __future__ import annotations

__version__ = "0.1.0"
