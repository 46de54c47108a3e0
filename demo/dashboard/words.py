"""Every word that the dashboard shows, in English and Chinese; the browser's language chooses."""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradio import I18n
    from gradio.i18n import I18nData

LANGUAGES = ("en", "zh")
FOLDER = Path(__file__).with_name("words")


@cache
def all_words() -> dict[str, dict[str, str]]:
    """Key to language to text, from every file beside this one."""
    return {
        key: texts
        for path in sorted(FOLDER.glob("*.json"))
        for key, texts in json.loads(path.read_text(encoding="utf-8")).items()
    }


def text(key: str, language: str = "en") -> str:
    """A text in one language, for what is written before the browser is known.

    Raises:
        KeyError: if no such words are written.
    """
    return all_words()[key][language]


@cache
def translations() -> "I18n":
    """The words as Gradio hands them to the browser."""
    import gradio as gr

    english, chinese = ({key: texts[one] for key, texts in all_words().items()} for one in LANGUAGES)
    # Browsers name a country with the language.
    return gr.I18n(en=english, zh=chinese, **{"zh-CN": chinese, "zh-TW": chinese})


def word(key: str) -> "I18nData":
    """A text for a Gradio component, in the browser's language.

    Raises:
        KeyError: if no such words are written.
    """
    if key not in all_words():
        raise KeyError(f"{key}: not in {FOLDER.name}/*.json")
    return translations()(key)
