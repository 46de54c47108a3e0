"""The `onset` command: find the subcommand, run it, turn every fault into one clear line and an exit code."""

import contextlib
import importlib
import importlib.metadata
import io
import os
import re
import sys
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import tyro

from engines.errors import OnsetError

COMMANDS = {
    "replay": "spot and classify micro-expressions in recordings: video files, image folders, folders of videos",
    "live": "the same from a camera or a stream, in real time",
    "demo": "the dashboard: live, replay, sessions and engines in the browser",
    "flow": "TV-L1 optical flow between two images",
    "magnify": "Eulerian magnification of a video's small movements",
    "synthesize": "videos of a face with movements of known onset, apex and offset",
    "export": "sessions as CSV, JSON, ELAN annotations, annotated video and report, in one zip",
    "score": "spotting metrics of sessions, or of published score curves, against the truth",
    "evaluate": "recognition scores of a checkpoint on a feature file, without training",
    "prepare": "a database's clips as their owners hand them out, into a feature file",
    "truth": "truth files for a database's annotated long videos, for replay and score",
    "train": "train a published system by its protocol, score it honestly, export a checkpoint",
    "build": "TensorRT engine from a checkpoint, for this machine's card or for others",
    "bench": "the benchmarks: flow, classify, engines, pipeline, spotting and more",
    "doctor": "what this machine can run, and why not",
}

DONE, FAULT, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


@runtime_checkable
class Command(Protocol):
    """One subcommand: a dataclass whose fields are its flags."""

    def run(self) -> int:
        """Do the work.

        Returns:
            The exit code.
        """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: words after `onset`; those of this process by default.

    Returns:
        0 done, 2 bad input or configuration, 130 after Ctrl-C. A fault of ours propagates and ends in 1.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return DONE
    if words[0] == "--version":
        print(f"onset {importlib.metadata.version('onset-live')}")
        return DONE
    try:
        return _parsed(words[0], words[1:]).run()
    except OnsetError as fault:
        print(f"onset: {_one_line(str(fault))}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        # Whoever read our output has gone; keep Python from complaining again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        return INTERRUPTED


def _overview() -> str:
    rows = "\n".join(f"  onset {name:<11} {summary}" for name, summary in COMMANDS.items())
    return f"onset: spots, measures and classifies micro-expressions.\n\n{rows}\n\nFlags: onset COMMAND --help"


def _parsed(name: str, words: list[str]) -> Command:
    """The subcommand with its flags filled in; usage faults become one line instead of a box."""
    if name not in COMMANDS:
        raise OnsetError(f"'{name}' is not a command; choose one of {', '.join(COMMANDS)}")
    module = importlib.import_module(f"demo.commands.{name}")
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            command: Command = tyro.cli(
                module.COMMAND,
                prog=f"onset {name}",
                args=words,
                default=module.defaults(words),
                config=(tyro.conf.FlagCreatePairsOff,),
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        raise OnsetError(f"{name}: {_without_box(said.getvalue())}") from None
    return command


def _without_box(text: str) -> str:
    """The words of a framed message, on one line."""
    return _one_line(re.sub(r"\x1b\[[0-9;]*m|[╭╮╰╯│─]+", " ", text))


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def entry() -> None:
    """Entry point of the installed script."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
