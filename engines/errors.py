"""The faults that a user can mend: each message names the input, what is wrong and what to do."""


class OnsetError(Exception):
    """Base of every fault whose message is meant for the user; the command line prints it in one line."""


class BadInput(OnsetError, ValueError):
    """An argument, a file or an array is not what it must be."""


class BadCheckpoint(OnsetError):
    """A checkpoint folder is incomplete, altered or not readable by this version."""


class BackendUnavailable(OnsetError):
    """A named inference or flow backend cannot run on this machine; the message gives the reason and the remedy."""


def in_one_line(fault: BaseException) -> str:
    """All that a fault of another library says, on one line; its kind where it says nothing."""
    return " ".join(str(fault).split()) or type(fault).__name__


def first_line(fault: BaseException) -> str:
    """The first line of what a fault of another library says; its kind where it says nothing."""
    return next(iter(str(fault).strip().splitlines()), type(fault).__name__)
