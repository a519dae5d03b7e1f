"""Operations of an environment's regions: status, failover, failback, drill, drift."""
