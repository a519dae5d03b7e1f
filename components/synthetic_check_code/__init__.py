"""Code of the check that asks a region from outside; needs nothing beyond Python's own library."""
