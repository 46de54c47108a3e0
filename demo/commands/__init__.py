"""The subcommands of `onset`, one file each.

Each holds `COMMAND`, a dataclass whose fields are the flags, and `defaults(words)`, which lays a file under them.
"""
