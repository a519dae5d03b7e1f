"""Code of the function that scales PostgreSQL readers; needs nothing beyond boto3, which Lambda brings."""
