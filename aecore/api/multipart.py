"""Read a form as it arrives, within bounds of size, count and pace, into memory; nothing is written to a disk."""

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from typing import NamedTuple

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from aecore.admission import Refusal
from aecore.api.door import read_at_pace
from aecore.errors import TooBusy
from aecore.memory import Budget
from aecore.memory import budget as all_memory

# Bytes of a whole request, as many as the pages take of one file.
MAX_BYTES = 100 * 10**6
# Characters of a field that is not a file.
MAX_FIELD = 1000


class File(NamedTuple):
    """A file of the form: the name only says of what kind it is, and no path is ever made of it."""

    name: str
    data: bytes


class Form(NamedTuple):
    """Files and fields by their names."""

    files: dict[str, File]
    fields: dict[str, str]
    size: int


class _InMemory(MultiPartParser):
    spool_max_size = MAX_BYTES  # beyond it a file would go to a disk, and beyond it nothing is taken


@asynccontextmanager
async def read_form(
    request: Request, *, files: Collection[str], fields: Collection[str], budget: Budget = all_memory
) -> AsyncGenerator[Form, None]:
    """Read a multipart form that may hold these files and fields; raises Refusal for all else.

    What it holds counts in the server's budget, from before it is read until the block ends.
    """
    allowed = f"file{'s' if len(files) > 1 else ''} {', '.join(files)} and fields {', '.join(fields)}"
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise Refusal(415, f"Send a multipart form (curl -F) with the {allowed}.")
    counted = _Counted(Request(request.scope, read_at_pace(request.receive)))
    try:
        charge = budget.charge(counted.promised, "interface")
    except TooBusy as error:
        raise Refusal(503, str(error), 30) from None
    with charge:
        yield await _parse(request, counted, files, fields, allowed)


async def _parse(
    request: Request, counted: "_Counted", files: Collection[str], fields: Collection[str], allowed: str
) -> Form:
    try:
        parser = _InMemory(
            request.headers, counted.chunks(), max_files=len(files), max_fields=len(fields), max_part_size=MAX_FIELD
        )
        form = await parser.parse()
        given = form.multi_items()
        taken = {key: File(v.filename or "", await v.read()) for key, v in given if isinstance(v, UploadFile)}
        await form.close()
    except ClientDisconnect as error:
        raise Refusal(400, "The form broke off before its end; send it again.") from error
    except (MultiPartException, KeyError, ValueError) as error:  # what a forged boundary or header sets off
        raise Refusal(400, f"The form cannot be read; send the {allowed}, as curl -F does.") from error
    texts = {key: value for key, value in given if isinstance(value, str)}
    if unknown := (taken.keys() - set(files)) | (texts.keys() - set(fields)):
        named = ", ".join(sorted(repr(name[:40]) for name in unknown))
        raise Refusal(400, f"The form holds {named}, which nobody asks for; send the {allowed}.")
    if len(taken) + len(texts) < len(given):
        raise Refusal(400, f"The form holds a name twice; send the {allowed}, each once.")
    return Form(taken, texts, counted.size)


class _Counted:
    """Yield the body; raise Refusal where it grows too large, whatever its header had promised."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.size = 0
        said = request.headers.get("content-length")
        if said is not None and (not said.isdecimal() or int(said) > MAX_BYTES):
            raise _too_large()
        self.promised = MAX_BYTES if said is None else int(said)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        async for chunk in self._request.stream():
            self.size += len(chunk)
            if self.size > MAX_BYTES:
                raise _too_large()
            yield chunk


def _too_large() -> Refusal:
    return Refusal(
        413, f"At most {MAX_BYTES // 10**6} MB are taken in one request; cut the file, or gzip it where it is a log."
    )
