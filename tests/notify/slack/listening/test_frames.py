"""Frames of a web socket: whole, whatever pieces they arrive in, and refused beyond the bounds."""

import pytest

from janitor.notify.slack.listening.frames import BadFrame, Bounds, Frames

BOUNDS = Bounds(largest=1_000, begins=1.0, whole=20.0, sent=5.0)


class Wire:
    """Gives these pieces, one a read; a number is a wait of so many seconds in which nothing comes."""

    def __init__(self, *pieces: bytes | float) -> None:
        self.pieces = list(pieces)
        self.now = 0.0
        self.sent: list[bytes] = []

    def ticks(self) -> float:
        return self.now

    def read(self, seconds: float) -> bytes:
        if self.pieces and isinstance(self.pieces[0], bytes):
            return self.pieces.pop(0)  # type: ignore[return-value]
        wait = self.pieces[0] if self.pieces else seconds
        assert isinstance(wait, float)
        self.now += min(wait, seconds)
        if wait <= seconds and self.pieces:
            self.pieces.pop(0)
            return self.read(seconds - wait)
        if self.pieces:
            self.pieces[0] = wait - seconds
        raise TimeoutError

    def write(self, content: bytes, _seconds: float) -> None:
        self.sent.append(content)

    def close(self) -> None:
        self.pieces = []


def frames(*pieces: bytes | float) -> tuple[Frames, Wire]:
    wire = Wire(*pieces)
    return Frames(wire, BOUNDS, wire.ticks), wire  # type: ignore[arg-type]


def frame(code: int, payload: bytes, *, final: bool = True) -> bytes:
    size = len(payload)
    length = bytes([size]) if size < 126 else bytes([126]) + size.to_bytes(2, "big")
    return bytes([0x80 * final | code]) + length + payload


TEXT, PING, PONG, CLOSE = frame(1, b"hello"), frame(9, b"are you there"), frame(10, b"me:1"), frame(8, b"\x03\xe8")
LONG = frame(1, b"x" * 900)
PARTS = frame(1, b"hel", final=False) + frame(0, b"l", final=False) + frame(0, b"o")

WHOLE: dict[str, tuple[tuple[bytes | float, ...], list[bytes]]] = {
    "one": ((TEXT,), [TEXT]),
    "two-at-once": ((TEXT + PING,), [TEXT, PING]),
    "byte-by-byte": (tuple(bytes([each]) for each in TEXT + PING), [TEXT, PING]),
    "long": ((LONG[:3], LONG[3:500], LONG[500:]), [LONG]),
    "slow": ((TEXT[:1], 10.0, TEXT[1:4], 9.0, TEXT[4:]), [TEXT]),
    "in-parts": ((PARTS,), [TEXT]),
    "in-parts-with-a-ping-between": ((PARTS[:5] + PING + PARTS[5:],), [PING, TEXT]),
    "binary-is-passed-over": ((frame(2, b"x") + TEXT,), [TEXT]),
    "close": ((CLOSE,), [CLOSE]),
    "close-without-a-code": ((frame(8, b""),), [frame(8, (1005).to_bytes(2, "big"))]),
    "longest": ((frame(1, b"x" * 1_000),), [frame(1, b"x" * 1_000)]),
}


@pytest.mark.parametrize(("pieces", "given"), WHOLE.values(), ids=WHOLE)
def test_frames_are_given_whole_one_at_a_time(pieces: tuple[bytes | float, ...], given: list[bytes]) -> None:
    read, _ = frames(*pieces)
    assert [read.recv(16) for _ in given] == given


BAD: dict[str, tuple[tuple[bytes | float, ...], str]] = {
    "too-large": ((bytes([0x81, 126]) + (1_001).to_bytes(2, "big"),), "more than 1,000 bytes"),
    "far-too-large": ((bytes([0x81, 127]) + (2**62).to_bytes(8, "big"),), "more than 1,000 bytes"),
    "too-large-in-parts": ((frame(1, b"x" * 600, final=False) + frame(0, b"x" * 600),), "more than 1,000 bytes"),
    "never-whole": ((TEXT[:4], 60.0), "not whole within 20 seconds"),
    "never-whole-in-parts": ((frame(1, b"x", final=False), 0.5, *(PONG, 0.9) * 30), "not whole within 20 seconds"),
    "masked": ((bytes([0x81, 0x85]) + b"maskxxxxx",), "not a frame"),
    "reserved-bits": ((bytes([0xC1, 0x01]) + b"x",), "not a frame"),
    "unknown-code": ((frame(3, b"x"),), "not a frame"),
    "a-ping-in-parts": ((frame(9, b"x", final=False),), "not a frame"),
    "a-large-ping": ((frame(9, b"x" * 200),), "too large"),
    "a-part-without-a-beginning": ((frame(0, b"x"),), "without a beginning"),
    "a-beginning-within": ((frame(1, b"x", final=False) + TEXT,), "within another"),
}


@pytest.mark.parametrize(("pieces", "why"), BAD.values(), ids=BAD)
def test_what_is_no_frame_within_the_bounds_ends_the_socket(pieces: tuple[bytes | float, ...], why: str) -> None:
    read, _ = frames(*pieces)
    with pytest.raises(BadFrame, match=why):
        list(iter(lambda: read.recv(16), b"never"))


def test_after_a_frame_without_content_comes_nothing_as_slack_sdk_expects() -> None:
    read, _ = frames(frame(9, b"") + TEXT)
    assert [read.recv(16) for _ in range(3)] == [frame(9, b""), b"", TEXT]


def test_where_nothing_begins_it_times_out_and_goes_on_later() -> None:
    read, _ = frames(5.0, TEXT)
    for _ in range(4):
        with pytest.raises(TimeoutError):
            read.recv(16)
    assert read.recv(16) == TEXT


def test_only_a_pong_shows_that_slack_answers() -> None:
    read, wire = frames(0.5, TEXT, 0.5, PING, 0.5, PONG, 0.5, TEXT)
    for _ in range(2):
        read.recv(16)
    assert (read.pong_at, read.silent_for) == (None, wire.now)
    read.recv(16)
    assert read.pong_at == wire.now
    read.recv(16)
    assert (read.silent_for, read.age) == (0.5, wire.now)


def test_all_of_a_frame_is_sent() -> None:
    read, wire = frames()
    assert read.send(TEXT) == len(TEXT)
    assert wire.sent == [TEXT]
