"""The generated parts of the documentation: `python -m infra.docs` writes them, a test finds what is stale."""
