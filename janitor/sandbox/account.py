"""The account in memory: its images, its tokens, and the rules by which it accepts or rejects requests."""

import secrets
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from janitor.sandbox.catalogue import Catalogue
from janitor.sandbox.fleet import Fleet
from janitor.sandbox.instances import Instances
from janitor.sandbox.launchers import Launchers
from janitor.sandbox.models import StoredImage, StoredInstance
from janitor.sandbox.options import MarkerReading, Options, SortDirection
from janitor.sandbox.refusals import Kind, Refusal, Resource
from janitor.sandbox.tokens import Token, Tokens
from janitor.sandbox.uses import Holding, uses

_GIB = 2**30


class Rules(Protocol):
    """What one API lets an account accept, and how it words a rejection. An image is None if no image has the id."""

    def deletion(self, image_id: str, image: StoredImage | None, user: StoredInstance | None) -> Refusal | None:
        """Why that image is not deleted, or None if it is; `user` is an instance that uses it."""

    def marker(self, image_id: str, image: StoredImage | None) -> Refusal | None:
        """Why a page cannot begin after that image, or None if it can."""

    def instance(self, instance_id: str) -> Refusal:
        """What is said about an instance that does not exist."""


class Account(Instances):
    """The content of a sandbox. Every method may be called from any thread; hold `lock` to do several as one.

    `images`, `instances` and `volumes` are copies by id: change the account through its methods. Methods for the API
    raise Refusal where the rules of the account reject the request. `beside` is the account of another region whose
    images it shares, changes included.
    """

    def __init__(
        self,
        fleet: Fleet,
        options: Options,
        clock: Callable[[], datetime],
        tokens: Tokens,
        rules: Rules,
        beside: "Account | None" = None,
    ) -> None:
        super().__init__(fleet)
        self.lock = beside.lock if beside else threading.RLock()
        self.clock = clock
        self._options = options
        self._tokens = tokens
        self._rules = rules
        self._catalogue: Catalogue = beside._catalogue if beside else Catalogue(fleet.images)
        self._sharing: list[Account] = beside._sharing if beside else []
        self._sharing.append(self)
        self._uploads: dict[str, tuple[datetime, int]] = beside._uploads if beside else {}

    # Methods for the API.

    def sign_in(self, username: str, password: str) -> Token:
        """A new token for the account's own credentials."""
        return self._issue((username, password), (self._options.username, self._options.password))

    def sign_in_application(self, credential: str, secret: str) -> Token:
        """A new token for the account's application credential."""
        return self._issue((credential, secret), (self._options.application, self._options.application_secret))

    def _issue(self, given: tuple[str, str], wanted: tuple[str, str]) -> Token:
        if not secrets.compare_digest("\n".join(given).encode("utf-8", "replace"), "\n".join(wanted).encode()):
            raise Refusal(Kind.BAD_CREDENTIALS, Resource.TOKEN, "the username or the password is wrong")
        return self._tokens.issue(self.clock())

    def token(self, token_id: str) -> Token:
        """The valid token with that id."""
        token = self._tokens.find(token_id, self.clock())
        if token is None:
            raise Refusal(Kind.ABSENT, Resource.TOKEN, "no such token, or it has expired")
        return token

    def admit(self, token_id: str | None) -> None:
        """Check that the token is valid."""
        if token_id is None or self._tokens.find(token_id, self.clock()) is None:
            reason = "no token" if token_id is None else "the token is invalid or expired"
            raise Refusal(Kind.DENIED, Resource.ACCOUNT, reason)

    def page(
        self,
        limit: int | None,
        marker: str | None,
        wanted: Callable[[StoredImage], bool] | None = None,
        direction: SortDirection | None = None,
        arrange: Callable[[Iterable[StoredImage]], list[StoredImage]] | None = None,
    ) -> list[StoredImage]:
        """One page of the wanted images, by creation as the options or `direction` say, or as `arrange` orders them.

        The options say how a marker is read.
        """
        inclusive = self._options.marker is MarkerReading.INCLUSIVE
        newest_first = (direction or self._options.sort) is SortDirection.DESC
        with self.lock:
            self._advance_uploads()
            start = None if marker is None else self._marker(marker)
            if arrange is None:
                images = self._catalogue.walk(start, newest_first=newest_first, inclusive=inclusive)
            else:
                images = _from(arrange(self._catalogue.all().values()), start, inclusive=inclusive)
            return list(islice(filter(wanted, images) if wanted else images, self.page_size(limit)))

    def page_size(self, limit: int | None) -> int:
        """The number of images in a page with that limit."""
        return min(limit or self._options.page_cap, self._options.page_cap)

    def _marker(self, marker: str) -> str:
        known = self.find_image(marker)
        refusal = self._rules.marker(marker, known)
        if refusal is not None or known is None:
            raise refusal or KeyError(marker)
        return known.id

    def find_image(self, image_id: str) -> StoredImage | None:
        """The image with that id, whoever may see it."""
        with self.lock:
            self._advance_uploads()
            return self._catalogue.get(image_id)

    def delete_image(self, image_id: str) -> None:
        """Delete an image, unless the rules object."""
        with self.lock:
            self._advance_uploads()
            known = self.find_image(image_id)
            refusal = self._objection(image_id, known)
            if refusal is not None or known is None:
                raise refusal or KeyError(image_id)
            self.remove_image(known.id)

    def _objection(self, image_id: str, image: StoredImage | None) -> Refusal | None:
        return self._rules.deletion(image_id, image, self._user_of(image.id) if image else None)

    def _user_of(self, image_id: str) -> StoredInstance | None:
        return next((instance for instance in self._instances.values() if instance.image == image_id), None)

    def list_instances(self, instance_id: str | None = None) -> list[StoredInstance]:
        """All instances, or the one with that id."""
        with self.lock:
            return list(self._instances.values()) if instance_id is None else [self._instance(instance_id)]

    def upload_image(self, instance_id: str, name: str) -> StoredImage:
        """Make an image of a stopped instance; it is queued now, then saving, then active as time goes by."""
        with self.lock:
            instance = self._instance(instance_id)
            if instance.status != "STOP":
                message = f"instance {instance_id} is {instance.status}: it must be stopped to make an image of it"
                raise Refusal(Kind.CONFLICT, Resource.INSTANCE, message)
            now = self.clock()
            image = StoredImage(
                str(uuid.uuid4()), name, "queued", now, now, None, min_disk=instance.root_gb, properties={}
            )
            self._catalogue.put(image)
            self._uploads[image.id] = (now, instance.root_gb * _GIB // 4)
            return image

    def _instance(self, instance_id: str) -> StoredInstance:
        found = self._instances.get(instance_id)
        if found is None:
            raise self._rules.instance(instance_id)
        return found

    def _advance_uploads(self) -> None:
        """Advance every upload to its present status."""
        now = self.clock()
        for image_id, (started, size) in list(self._uploads.items()):
            saving_at = started + self._options.queued_for
            active_at = saving_at + self._options.saving_for
            if now >= active_at:
                self.change_image(image_id, status="active", size=size, updated_at=active_at)
                del self._uploads[image_id]
            elif now >= saving_at:
                self.change_image(image_id, status="saving", updated_at=saving_at)

    # What people, tests and simulations do to an account behind the API's back.

    @property
    def images(self) -> dict[str, StoredImage]:
        """The images by id, as they are now."""
        with self.lock:
            self._advance_uploads()
            return self._catalogue.all()

    def put_image(self, image: StoredImage) -> None:
        """Add an image, or replace the one with its id."""
        with self.lock:
            self._catalogue.put(image)

    def change_image(self, image_id: str, **changes: Any) -> StoredImage:
        """Change fields of an image. Raises KeyError if it does not exist."""
        with self.lock:
            known = self._catalogue.get(image_id)
            if known is None:
                raise KeyError(image_id)
            changed = replace(known, **changes)
            self._catalogue.put(changed)
            return changed

    def remove_image(self, image_id: str) -> None:
        """Remove an image, whatever its state. Raises KeyError if it does not exist."""
        with self.lock:
            self._catalogue.remove(image_id)
            self._uploads.pop(image_id, None)

    def is_deletable(self, image_id: str) -> bool:
        """Whether a deletion of that image would be carried out now."""
        with self.lock:
            known = self.find_image(image_id)
            return known is not None and self._objection(image_id, known) is None

    @contextmanager
    def undoing(self, image_id: str) -> Iterator[None]:
        """Undo everything that happens to that image within the block; nobody else sees it meanwhile."""
        with self.lock:
            image = self._catalogue.get(image_id) or self._catalogue.get(image_id.lower())
            upload = self._uploads.get(image.id) if image else None
            try:
                yield
            finally:
                if image is not None:
                    self._catalogue.put(image)
                if image is not None and upload is not None:
                    self._uploads[image.id] = upload

    def uses(self) -> Mapping[str, set[str]]:
        """What really uses each image, by its id, from all sources and all regions that share the images.

        A use by name ends with the last image of that name: ask before an image is deleted, not after.
        """
        with self.lock:
            return uses(self._catalogue.all().values(), [account._holding() for account in self._sharing])

    def _holding(self) -> Holding:
        options = self._options
        clusters = () if options.no_clusters else tuple(self._clusters.values())
        templates = () if options.no_clusters or options.kubernetes else tuple(self._cluster_templates.values())
        stacks = () if options.no_stacks else tuple(self._stacks.values())
        volumes = () if options.no_volumes else tuple(self._volumes.values())
        launchers = Launchers(clusters, templates, stacks, tuple(self._launch_templates.items()))
        return Holding(tuple(self._instances.values()), volumes, launchers)

    def revoke_tokens(self) -> None:
        """Revoke every token, as a changed API password does."""
        self._tokens.revoke()


def _from(images: Sequence[StoredImage], start: str | None, *, inclusive: bool) -> Iterator[StoredImage]:
    ids = [image.id for image in images]
    return iter(images if start is None else images[ids.index(start) + (not inclusive) :])
