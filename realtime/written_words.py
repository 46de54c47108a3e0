"""Words that people write, so that every file can hold them: without characters that nobody sees."""

import re
import unicodedata

from engines.errors import BadInput

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2, Char) does not allow, not even written as a number."""


def refuse_unseen(words: str, *, what: str) -> None:
    """Refuse control characters other than line break and tab, and halves of characters.

    Args:
        words: what a person wrote.
        what: what it is, for the message.

    Raises:
        BadInput: if there is one; it names the first.
    """
    for place, character in enumerate(words, start=1):
        if character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs"):
            raise BadInput(f"{what}: character {place} is a control character (U+{ord(character):04X}); remove it")


def for_xml(words: str) -> str:
    """The words without the characters that XML does not allow."""
    return _NOT_XML.sub("", words)
