"""The sandbox's own endpoints, outside the API: its faults, set and ended while it runs, and the deletions so far."""

from datetime import datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from janitor.errors import ConfigurationError
from janitor.sandbox.calls import Api
from janitor.sandbox.faults import NO_FAULTS, Faults
from janitor.sandbox.faults.file import parse_faults, written
from janitor.sandbox.request_log import RecordedRequest

PATH = "/sandbox/faults"
DELETIONS = "/sandbox/deletions"


class Controlled(Protocol):
    """An account, or all of them; the scope of a request has it as `sandbox`."""

    faults: Faults

    @property
    def deletions(self) -> tuple[RecordedRequest, ...]:
        """Every request to delete an image so far."""


def control_routes(api: Api) -> list[Route]:
    """Faults: GET them; PUT new ones, as a faults file or the same in JSON; DELETE ends them. Deletions: GET them."""

    async def faults(request: Request) -> Response:
        controlled: Controlled = request.scope["sandbox"]
        if request.method == "PUT":
            try:
                controlled.faults = parse_faults("faults", await request.body(), api)
            except ConfigurationError as error:
                return JSONResponse({"problems": [str(problem) for problem in error.problems]}, 400)
        elif request.method == "DELETE":
            controlled.faults = NO_FAULTS
        return JSONResponse(written(controlled.faults))

    return [Route(PATH, faults, methods=["GET", "PUT", "DELETE"]), Route(DELETIONS, _deletions, methods=["GET"])]


async def _deletions(request: Request) -> Response:
    controlled: Controlled = request.scope["sandbox"]
    return JSONResponse({"deletions": [_deletion(deletion) for deletion in controlled.deletions]})


def _deletion(request: RecordedRequest) -> dict[str, object]:
    return {
        "account": request.account,
        "image": request.image,
        "arrived_at": _micro(request.arrival.at),
        "answered_at": _micro(request.answered_at),
        "at": _micro(request.at),
        "status": request.status,
        "code": request.code,
        "faults": list(request.faults),
        "port": request.arrival.port,
        "headers": dict(request.arrival.headers),
    }


def _micro(instant: datetime) -> str:
    return instant.isoformat(timespec="microseconds")
