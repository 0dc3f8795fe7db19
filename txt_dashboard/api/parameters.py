"""What requests may say, bounded: one type for each kind of word, number and place."""

import re
from typing import Annotated, Any

import msgspec
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja.errors import HttpError
from ninja.parser import Parser
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from txt_dashboard.actions.governance.propose import LONGEST_REASON
from txt_dashboard.actions.permissions import Invalid

MOST = 100
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _moment(text: object) -> object:
    """A moment as people write it: pydantic by itself takes numbers too."""
    if not isinstance(text, str) or not _MOMENT.fullmatch(text):
        raise ValueError("a moment is written like 2026-11-23T12:00:00Z")
    return text


HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,252}$")]
PoolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ \-]{0,62}$")]
ServerName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9\-]{0,62}$")]
Limit = Annotated[int, Field(ge=1, le=MOST, description="How many at most.")]
Marker = Annotated[str, Field(max_length=320, description="`next` of the page before.")]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
BaselineId = Annotated[
    str,
    Field(
        pattern=r"^([1-9][0-9]{0,8}|baseline:[0-9a-f]{16})$",
        description="Of a baseline in force (`baseline:…`), or the number of a proposal.",
    ),
]
ProjectId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]{1,64}$", description="A project's id at Keystone.")]
CloudName = Annotated[str, Field(max_length=255, description="A connected cloud; without it the first.")]
InstanceId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]{1,64}$")]
EntryId = Annotated[str, Field(pattern=r"^baseline:[0-9a-f]{16}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Word = Annotated[str, Field(max_length=253)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment), Field(description="RFC 3339.")]
Reason = Annotated[
    str, Field(min_length=1, max_length=LONGEST_REASON, description="Why; whoever asks later reads it.")
]


class Body(BaseModel):
    """A request's body: nothing that is not described is taken."""

    model_config = ConfigDict(extra="forbid")


class StrictParser(Parser):
    """Reads JSON strictly: UTF-8 that is one, no NaN, no NUL that a database could not keep."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Raises `HttpError`."""
        try:
            read = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise HttpError(400, "no JSON") from None
        if b"\\u0000" in request.body and not _printable(read):
            raise HttpError(400, "NUL")
        return read

    def parse_querydict(self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest) -> Any:
        """Raises `Invalid` for a NUL."""
        if any("\0" in str(value) for _, values in data.lists() for value in values):
            raise Invalid({"query": ["The address holds a sign that no name has."]})
        return super().parse_querydict(data, list_fields, request)


def _printable(read: object) -> bool:
    """Whether no text in it holds a NUL."""
    match read:
        case str():
            return "\0" not in read
        case dict():
            return all("\0" not in key and _printable(value) for key, value in read.items())
        case list():
            return all(_printable(value) for value in read)
    return True


def number(marker: str) -> int:
    """The number that a marker is, 0 for none; raises `Invalid`."""
    if not marker:
        return 0
    if not (marker.isascii() and marker.isdigit() and len(marker) < 19):
        raise Invalid({"query.marker": ["The marker names no place in the list. Begin without one."]})
    return int(marker)
