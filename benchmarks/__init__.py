"""What previews cost, and what the pooler does, measured: `python -m benchmarks`."""
