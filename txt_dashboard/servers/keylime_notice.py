"""What a Keylime verifier sends when an agent failed: a notice, signed by nobody, of which only the agent is read.

`POST` with `{"msg": "<JSON in a text>", "signature": ""}`; the text is `{"type": "revocation" | "comm_error",
"agent_id", "event_id", …}`. It is sent once, with no header of ours.
"""

from typing import Annotated, Literal

from msgspec import Meta, MsgspecError, Struct
from msgspec.json import Decoder

from txt_dashboard.servers.keylime_wire import is_agent_id

LARGEST = 256 * 1024  # bytes; a notice repeats the agent's whole policy


class _Envelope(Struct):
    msg: Annotated[str, Meta(max_length=LARGEST)]


class _Notice(Struct):
    type: Literal["revocation", "comm_error"]
    agent_id: str


_ENVELOPE, _NOTICE = Decoder(_Envelope), Decoder(_Notice)


class BadNotice(ValueError):
    """It is no notice."""


def read_notice(body: bytes) -> str:
    """The id of the agent that the notice is about; raises `BadNotice`."""
    if len(body) > LARGEST:
        raise BadNotice("it is larger than any notice")
    try:
        agent = _NOTICE.decode(_ENVELOPE.decode(body).msg).agent_id
    except (MsgspecError, RecursionError, UnicodeError):
        raise BadNotice("it has another form than Keylime's notices") from None
    if not is_agent_id(agent):
        raise BadNotice("it names no agent")
    return agent
