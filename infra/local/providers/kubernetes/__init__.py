"""The stand-in for pulumi-kubernetes."""
