"""What previews cost, measured with the real engine: `python -m benchmarks`."""
