"""The page that asks for the password; it needs nothing but itself."""

from html import escape
from typing import Literal

from demo.dashboard.words import text

_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Onset</title><style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: light-dark(#f6f7f8, #0e1214);
  color: light-dark(#1b2327, #e6ecee); font: 16px/1.5 system-ui, sans-serif; }}
form {{ display: grid; gap: 14px; width: min(320px, 86vw); padding: 32px; border-radius: 14px;
  background: light-dark(#fff, #171d20); border: 1px solid light-dark(#dde3e6, #2a3337); }}
h1 {{ margin: 0; font-size: 22px; }} p {{ margin: 0; }}
input, button {{ font: inherit; padding: 10px 12px; border-radius: 8px;
  border: 1px solid light-dark(#c5ced2, #3a464b); }}
button {{ background: #0f766e; border-color: #0f766e; color: #fff; cursor: pointer; }}
[role=alert] {{ color: light-dark(#b3261e, #ff9d94); }}
</style></head><body><form method="post"><h1>Onset</h1>
<label for="password">{ask}</label>
<input id="password" name="password" type="password" autocomplete="current-password" autofocus required>
{fault}<button>{enter}</button></form></body></html>"""


def login_page(accept_language: str, fault: Literal["wrong", "wait"] | None = None) -> str:
    """The page in the browser's language.

    Args:
        accept_language: header of the request.
        fault: why the last try did not do.
    """
    language = "zh" if accept_language.lower().startswith("zh") else "en"
    alert = f'<p role="alert">{escape(text(f"shell.password-{fault}", language))}</p>' if fault else ""
    return _PAGE.format(
        language=language,
        ask=escape(text("shell.password", language)),
        enter=escape(text("shell.enter", language)),
        fault=alert,
    )
