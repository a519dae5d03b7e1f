"""Operations of an environment's regions: status, failover, failback, adopt, drill, drift."""
