"""What is not a resource: settings, arithmetic, guardrails, tools and the local platform."""
