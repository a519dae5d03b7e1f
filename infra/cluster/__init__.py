"""The cluster's arithmetic: node pools, capacity, autoscaling, versions and what its controllers may do."""
