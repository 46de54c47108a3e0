"""The subcommands of `onset`, one file each: a dataclass of flags, `COMMAND`, and `defaults(words)` to lay a file under the flags."""
