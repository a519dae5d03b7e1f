"""The way of a request: routes, waits, web ACLs, ingress and mesh, as pure arithmetic and objects."""
