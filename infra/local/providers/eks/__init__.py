"""The stand-in for pulumi-eks: components that register the same children as the real ones."""
