"""One page about a stack: what is planned, what it can carry, what it costs, what it promises.

`make report STACK=prod` writes it, `--json` prints the same as data, `make report BASE=<git ref>` compares two commits.
"""
