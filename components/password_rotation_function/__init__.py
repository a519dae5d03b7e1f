"""Code of the function that rotates database passwords; beside boto3, which Lambda brings, it needs pg8000."""
