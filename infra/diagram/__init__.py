"""The architecture picture, drawn from the resource graph of a stack."""
