"""Reusable component resources, one idea a file."""
