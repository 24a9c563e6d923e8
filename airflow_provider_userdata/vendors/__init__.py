"""WHO receives: a file a vendor, which declares its records, limits, request and what its answers mean."""
