"""The Compute API v1.0 as one of the APIs of targets."""

from dataclasses import dataclass

from janitor.cloud.api import Api, Place, Surroundings
from janitor.cloud.service import ImageService
from janitor.cloud.toast.target import ToastSchema, ToastTarget
from janitor.core.names.wire_keys import WireKeys


@dataclass(frozen=True, slots=True)
class Appkey:
    """The account of an appkey: one place, whose client asks for a token when it needs one."""

    target: ToastTarget

    def sign_in(self, surroundings: Surroundings) -> "Appkey":  # noqa: ARG002 - of another API
        """The account itself: no request is needed to know what there is to clean."""
        return self

    def places(self) -> list[Place]:
        """The one place."""
        return [Place((self.target.name,), self._connect)]

    def no_place(self, name: str) -> str:
        """Why there is no site with that name."""
        return f'the API knows no regions, and no "{name}"'

    def _connect(self, surroundings: Surroundings) -> ImageService:
        from janitor.cloud.toast.client import ToastClient  # which loads httpx

        target = self.target
        return ToastClient(
            target.endpoint,
            target.appkey,
            target.username,
            target.password,
            target.http,
            imageless=target.imageless,
            clock=surroundings.clock,
            stop=surroundings.stop,
            http_transport=surroundings.http_transport,
            max_images=surroundings.max_images,
        )


def _credentials(_target: ToastTarget) -> str:
    return "`appkey`, `username` and `password` (the API password, not that of the console)"


TOAST = Api(
    name="toast",
    schema=ToastSchema,
    secrets=("appkey", "username", "password"),
    addresses=("endpoint",),
    authenticate=Appkey,
    credentials=_credentials,
    wire_keys=WireKeys(created="createdAt", updated="updatedAt", public="isPublic"),
)
