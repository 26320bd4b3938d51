"""Which of several janitors sent a request to a sandbox, by a word that is put behind its User-Agent for a test."""

from janitor.sandbox.request_log import Call


def named(sender: str) -> str:
    """Python code that a process of the janitor runs first, so that its requests can be told from those of others."""
    return f"from janitor.transport import http; http._HEADERS['User-Agent'] += ' ({sender})'"


def sender_of(request: Call) -> str | None:
    """The name of the process that sent a request; None for one that was not `named`."""
    _, bracket, name = request.arrival.headers.get("user-agent", "").partition(" (")
    return name.removesuffix(")") if bracket else None
