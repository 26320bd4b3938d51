"""The body of an answer: decompressed up to a bound, and never further."""

import zlib
from collections.abc import Iterable, Iterator, Mapping

from janitor.transport.deadline import Deadline
from janitor.transport.lean_httpx import httpx

LARGEST_BODY = 64 * 2**20
_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 2**20
_LONGEST_WORD = 40


class Unusable(Exception):
    """An answer that will not improve: too large, or in an encoding that was not requested."""


def body_of(response: httpx.Response, deadline: Deadline, largest: int) -> bytes:
    """The whole body, at most `largest` bytes both as sent and decompressed.

    Raises httpx.ReadTimeout past the deadline, even if more data comes; httpx.DecodingError for a body that cannot be
    decompressed or ends early; and Unusable for a larger one, or one in an encoding that was not requested.
    """
    assert isinstance(response.stream, httpx.SyncByteStream)
    chunks = _in_time(_bounded(response.stream, largest), deadline)
    if not _is_gzip(response.headers):
        return b"".join(chunks)
    body = bytearray()
    for part in _unpacked(chunks):
        body += part
        if len(body) > largest:
            raise _too_large(largest)
    return bytes(body)


def _is_gzip(headers: Mapping[str, str]) -> bool:
    """Whether the body is compressed by gzip, once. Raises Unusable for any other encoding."""
    encodings = [word for word in headers.get("content-encoding", "").lower().replace(" ", "").split(",") if word]
    match [word for word in encodings if word != "identity"]:
        case []:
            return False
        case ["gzip" | "x-gzip"]:
            return True
        case [_]:
            raise Unusable(f"the answer is encoded as {encodings[0][:_LONGEST_WORD]!a}, which was not requested")
        case _:
            raise Unusable("the answer is encoded more than once, which was not requested")


def _in_time(chunks: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
    for chunk in chunks:
        if deadline.left() <= 0:
            raise httpx.ReadTimeout("")
        yield chunk


def _bounded(chunks: Iterable[bytes], largest: int) -> Iterator[bytes]:
    received = 0
    for chunk in chunks:
        received += len(chunk)
        if received > largest:
            raise _too_large(largest)
        yield chunk


def _unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a gzip body, in pieces of bounded size; it may have several members."""
    member, within = zlib.decompressobj(_GZIP), False
    try:
        for chunk in chunks:
            rest, more = chunk, False
            while rest or more:
                piece = member.decompress(rest, _PIECE)
                yield piece
                if member.eof:
                    rest, more, within = member.unused_data, False, False
                    member = zlib.decompressobj(_GZIP)
                else:
                    rest, more, within = member.unconsumed_tail, len(piece) == _PIECE, True
    except zlib.error as error:
        raise httpx.DecodingError(str(error)) from error
    if within:
        raise httpx.DecodingError("the answer ends early")


def _too_large(largest: int) -> Unusable:
    return Unusable(f"the answer is larger than {largest // 2**20} MiB")
