"""Well-known ports and addresses that workloads reach, in one place for network policies and the mesh."""

from __future__ import annotations

POSTGRES = 5432
POOLER = 6432
REDIS = 6379
KAFKA_IAM = 9098
"""MSK's listener with IAM authentication inside the VPC."""
DATA_PORTS = frozenset({POSTGRES, REDIS, KAFKA_IAM})
"""Ports of stores, which bypass the mesh; the pooler is in it, and trusts its mutual TLS."""

DNS = 53
HTTPS = 443
ISTIOD = 15_012
"""istiod's configuration and certificates, over TLS."""
SIDECAR_METRICS = (15_020, 15_090)
"""The sidecar's merged and own metrics."""

POD_IDENTITY_ADDRESS = "169.254.170.23/32"
"""EKS Pod Identity agent on every node, port 80."""
POD_IDENTITY_PORT = 80
PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10")
"""Ranges that "the internet" leaves out."""
