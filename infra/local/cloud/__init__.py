"""A cloud on this machine: moto behind the aws stand-in, in all regions, for boto3 and for Pulumi."""
