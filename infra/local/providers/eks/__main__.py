"""Serve the eks stand-in; started by the process of the other stand-ins."""

from infra.local.providers.eks.server import main

if __name__ == "__main__":
    main()
