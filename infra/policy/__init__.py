"""The policy pack: what no stack may do, as pure functions that the engine runs on every resource."""
