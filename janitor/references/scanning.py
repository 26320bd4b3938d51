"""Searches texts, two at a time where they are small: the matcher lets other threads run while it works."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from janitor.references.entries import Text, Unreadable
from janitor.references.matching import Found, Matcher

_THREADS = 2
_MOST_AHEAD = 2 * _THREADS
_LARGEST_AHEAD = 8 * 2**20


def scanned(
    matcher: Matcher, texts: Iterable[Text | Unreadable], *, names: bool
) -> Iterator[tuple[Text, Found] | Unreadable]:
    """What each text contains. At most one text, or a few with 8 MiB together, and one more are in memory at a time."""
    ahead: deque[tuple[Text, Future[Found]]] = deque()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="references") as pool:
        for text in texts:
            if isinstance(text, Unreadable):
                yield text
                continue
            while ahead and _is_full(ahead, text):
                done, found = ahead.popleft()
                yield done, found.result()
            ahead.append((text, pool.submit(matcher.scan, text.content, names=names)))
        yield from ((done, found.result()) for done, found in ahead)


def _is_full(ahead: Iterable[tuple[Text, object]], text: Text) -> bool:
    sizes = [len(text.content), *(len(other.content) for other, _ in ahead)]
    return len(sizes) > _MOST_AHEAD or sum(sizes) > _LARGEST_AHEAD
