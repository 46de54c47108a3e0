"""Requests in JSON, taken apart: one object of bounded length, its texts and lists of texts."""

import json
from typing import Any

from starlette.requests import Request

from engines.errors import BadInput


async def asked_object(request: Request, largest: int) -> dict[str, Any]:
    """The request's JSON object; an empty one where it has none.

    Args:
        request: not read yet.
        largest: bytes at most.

    Raises:
        BadInput: if it is too long or something else.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise BadInput(f"the request is longer than {largest} bytes; ask for less at once")
    try:
        asked = json.loads(bytes(body) or b"{}")
    except ValueError:
        raise BadInput("the request is not written in JSON") from None
    if not isinstance(asked, dict):
        raise BadInput("the request must be one JSON object")
    return asked


def text_in(asked: dict[str, Any], field: str) -> str:
    """A text of the request.

    Raises:
        BadInput: if it is missing or something else.
    """
    value = asked.get(field)
    if not isinstance(value, str):
        raise BadInput(f"{field} must be a text, not {value!r}")
    return value


def texts_in(asked: dict[str, Any], field: str) -> list[str]:
    """A list of texts of the request; an empty one where it is missing.

    Raises:
        BadInput: if it is something else.
    """
    value = asked.get(field, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadInput(f"{field} must be a list of texts, not {value!r}")
    return value
