"""With which other projects the images of one service are shared: its list of the members of each image."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from janitor.cloud.common.answers import Declined
from janitor.cloud.common.at_once import at_once
from janitor.cloud.common.records import read_entries
from janitor.cloud.common.session import Session
from janitor.cloud.openstack.records import read_sharing
from janitor.cloud.openstack.target import may_be_shared
from janitor.core.image import Image, Sharing, Visibility
from janitor.transport import Call

_NO_MEMBERS = "only shared images have members"


class Members:
    """Asks for the members of images; of none where sharing is `ignored`.

    `url_of` makes the URL of a path below images.

    Safe to use from several threads at once.
    """

    def __init__(self, session: Session, url_of: Callable[..., str], *, ignored: bool) -> None:
        self._session = session
        self._url_of = url_of
        self._ignored = ignored
        self._private_has_none = False

    def shareable(self, images: Iterable[Image]) -> Sequence[Image]:
        """Those whose visibility allows members."""
        return [] if self._ignored else list(filter(may_be_shared, images))

    def sharing(self, images: Iterable[Image]) -> Mapping[str, Sharing]:
        """With whom these images are shared, one request for each that may be shared. Raises CloudError."""
        asked = self.shareable(images)
        found = at_once(self._members, asked)
        return {image.id: sharing for image, sharing in zip(asked, found, strict=True) if sharing is not None}

    def _members(self, image: Image) -> Sharing | None:
        if self._private_has_none and image.visibility == Visibility.PRIVATE:
            return None
        call = Call("GET /v2/images/{id}/members", "GET", self._url_of(image.id, "members"))
        try:
            return self._session.ask(call, lambda found: read_sharing(read_entries(found, "members")))
        except Declined as error:
            if image.visibility == Visibility.PRIVATE and _NO_MEMBERS in str(error).lower():
                self._private_has_none = True
                return None
            return Sharing(problem=str(error))
