"""The local platform: the real Pulumi engine with stand-in providers, a file backend and no cloud account.

`bin/pulumi-local` is the way in; README.md beside this file says what each module does.
"""
