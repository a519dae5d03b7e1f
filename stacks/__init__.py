"""Composition roots: what one region deploys and what the edge adds."""
