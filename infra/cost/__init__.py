"""What a stack costs in a month, before anything is built: pure arithmetic from settings, services and dated prices.

`python -m infra.cost.refresh` renews the prices from the AWS Price List API.
"""
