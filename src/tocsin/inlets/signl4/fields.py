"""Turns the body of a SIGNL4 request into named fields."""

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, cast
from urllib.parse import parse_qsl, unquote_plus

import msgspec

from tocsin.ports import Request, Unreadable

TITLE_KEYS: Final = ("x-s4-subject", "subject", "title", "task", "job", "case", "incident")
TEXT_KEYS: Final = ("text", "message", "messagetext", "description", "body", "content")
_FORM: Final = "application/x-www-form-urlencoded"
_LATER: Final = re.compile(r"(application|text)/([\w.+-]+\+)?xml|multipart/[\w-]+")
_MAX_FORM_FIELDS: Final = 1000
_ZABBIX: Final = "payload="
_LINE: Final = re.compile(r"([A-Za-z][\w .\-/()]{0,63}?)[ \t]*:(?:[ \t]+(.*)|$)")
_TIGHT_LINE: Final = re.compile(r"(?i:(x-s4-[a-z]+|subject|title|message))[ \t]*:(.*)")
_SALVAGE: Final = re.compile(
    r'"(x-s4-[a-z]+|subject|title)"\s{0,9}:\s{0,9}"((?:[^"\\]|\\.)*)"\s{0,9}[,}]', re.IGNORECASE
)


class Fields:
    """`named` in the order sent, without what is empty; `rest` is text that has no name."""

    __slots__ = ("_folded", "named", "rest")

    def __init__(self, named: Mapping[str, object] | None = None, rest: str = "") -> None:
        self.named = {name: value for name, value in (named or {}).items() if _is_said(value)}
        self.rest = rest
        self._folded = {name.lower(): value for name, value in self.named.items()}

    def get(self, name: str) -> object:
        """The value of this lower-case name, in whatever case it was sent; None where absent."""
        return self._folded.get(name)


def _is_said(value: object) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())


def read(request: Request) -> Fields | Unreadable:
    """JSON, form, `Key: value` lines or plain text, told by the body rather than by its type.

    Broken JSON becomes text, so that the alarm is not lost; of double keys the last one counts.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if _LATER.fullmatch(kind):
        reason = f"{kind} is not read: send JSON, a form or plain text"
        return Unreadable(reason=reason, status=415)
    quick = _json(request.body)
    if quick is not None:
        return Fields(quick)
    text = _decoded(request.body).replace("\0", "").strip()
    for candidate in _candidates(text):
        named = _json(candidate.encode(errors="replace")) or _tolerant_json(candidate)
        if named is not None:
            return Fields(named)
        return Fields(_salvaged(candidate), rest=candidate)
    if kind == _FORM and "=" in text and (form := _form(text)):
        return Fields(form)
    return _lines(text)


def _decoded(body: bytes) -> str:
    """UTF-8, else UTF-16 by its mark, else what Windows programs write."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", errors="replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")


def _candidates(text: str) -> Iterator[str]:
    """Where the JSON object begins. Zabbix's script calls `payload={...}` JSON."""
    inner = text.removeprefix(_ZABBIX).lstrip()
    if inner.startswith("{"):
        yield inner
    elif text.startswith(_ZABBIX) and inner.startswith("%7"):
        yield unquote_plus(inner, errors="replace")


def _json(body: bytes) -> Mapping[str, object] | None:
    try:
        value: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def _tolerant_json(text: str) -> Mapping[str, object] | None:
    """Scripts paste program output into JSON: line ends in strings, NaN, lone surrogates."""
    try:
        value: object = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def _salvaged(text: str) -> Mapping[str, object]:
    """What can be trusted in broken JSON, so that a resolve still finds its alert."""
    return {name: value for name, value in _SALVAGE.findall(text) if "\\" not in value}


def _form(text: str) -> Mapping[str, object]:
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="replace", max_num_fields=_MAX_FORM_FIELDS
        )
    except ValueError:
        return {}
    return dict[str, object](pairs)


def _lines(text: str) -> Fields:
    """`Key: value` lines if one of the keys is known or each line is one; else plain text.

    A line without a key continues the value above it.
    """
    named: dict[str, str] = {}
    before: list[str] = []
    last = ""
    for row in text.splitlines():
        found = _TIGHT_LINE.fullmatch(row.strip()) or _LINE.fullmatch(row.strip())
        if found:
            last = found[1]
            named[last] = (found[2] or "").strip()
        elif last:
            named[last] = f"{named[last]}\n{row}".strip()
        else:
            before.append(row)
    fields = Fields(dict[str, object](named), "\n".join(before).strip())
    rows = sum(bool(row.strip()) for row in text.splitlines())
    if any(_is_known(name.lower()) for name in named) or (len(named) > 1 and len(named) == rows):
        return fields
    return Fields(rest=text)


def _is_known(name: str) -> bool:
    return name in TITLE_KEYS or name in TEXT_KEYS or name.startswith("x-s4-")
