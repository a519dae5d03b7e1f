"""Stand-in Pulumi providers: gRPC servers the real engine uses in place of aws, kubernetes, random and eks.

They check every resource against the SDK's own types, answer update or replace, keep a record of what they
"created" and keep secrets secret. `python -m infra.local.providers --state-dir DIR` serves all of them;
`docs/local-platform.md` says what they check and what they do not.
"""
