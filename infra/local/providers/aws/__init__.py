"""The stand-in for pulumi-aws: one row of facts a resource type, rules of our own, and functions."""
