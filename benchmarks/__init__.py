"""Measures this project beside what people use instead: ``make bench``."""
