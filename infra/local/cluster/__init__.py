"""A real Kubernetes control plane with nodes that are only objects: what the scheduler and controllers do is real."""
