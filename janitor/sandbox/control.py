"""The sandbox's own endpoint, outside the API: its faults are read, set and ended while it runs."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from janitor.errors import ConfigurationError
from janitor.sandbox.calls import Api
from janitor.sandbox.faults import NO_FAULTS
from janitor.sandbox.faults.file import parse_faults, written
from janitor.sandbox.faults.injector import FaultInjector

PATH = "/sandbox/faults"


def faults_route(injector: FaultInjector, api: Api) -> Route:
    """GET the faults; PUT new ones, as a faults file or the same in JSON; DELETE ends them."""

    async def faults(request: Request) -> Response:
        if request.method == "PUT":
            try:
                injector.faults = parse_faults("faults", await request.body(), api)
            except ConfigurationError as error:
                return JSONResponse({"problems": [str(problem) for problem in error.problems]}, 400)
        elif request.method == "DELETE":
            injector.faults = NO_FAULTS
        return JSONResponse(written(injector.faults))

    return Route(PATH, faults, methods=["GET", "PUT", "DELETE"])
