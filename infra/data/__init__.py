"""The data tier's arithmetic: pools, caches, topics, migrations and who may reach them."""
