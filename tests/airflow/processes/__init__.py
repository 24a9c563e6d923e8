"""What needs Airflow as people run it: a package, so that its processes end when its tests have."""
