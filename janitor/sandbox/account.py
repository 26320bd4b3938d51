"""The account in memory: its images and instances, its tokens, and the rules by which it says yes or no."""

import re
import secrets
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from janitor.sandbox.catalogue import Catalogue
from janitor.sandbox.fleet import Fleet
from janitor.sandbox.options import MarkerReading, Options, SortDirection
from janitor.sandbox.records import StoredImage, StoredInstance
from janitor.sandbox.refusals import Kind, Refusal, Resource
from janitor.sandbox.tokens import Token, Tokens

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_GONE = ("deleted", "pending_delete")
_GIB = 2**30


class Account:
    """What a sandbox holds. Every method may be called from any thread; hold `lock` to do several as one.

    `images` and `instances` are copies by id: change the account through its methods. What the API asks for raises
    Refusal where the account says no.
    """

    def __init__(self, fleet: Fleet, options: Options, clock: Callable[[], datetime]) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self._options = options
        self._tokens = Tokens(options.token_lifetime)
        self._catalogue = Catalogue(fleet.images)
        self._instances = {instance.id: instance for instance in fleet.instances}
        self._uploads: dict[str, tuple[datetime, int]] = {}

    # What the API asks for.

    def sign_in(self, username: str, password: str) -> Token:
        """A new token for the account's own credentials."""
        good = secrets.compare_digest(
            f"{username}\n{password}".encode("utf-8", "replace"),
            f"{self._options.username}\n{self._options.password}".encode(),
        )
        if not good:
            raise Refusal(Kind.BAD_CREDENTIALS, Resource.TOKEN, "the username or the password is wrong")
        with self.lock:
            return self._tokens.issue(self.clock())

    def token(self, token_id: str) -> Token:
        """The good token of that id."""
        with self.lock:
            token = self._tokens.find(token_id, self.clock())
        if token is None:
            raise Refusal(Kind.ABSENT, Resource.TOKEN, "no such token, or it has expired")
        return token

    def admit(self, token_id: str | None) -> None:
        """Let the holder of a good token in."""
        with self.lock:
            if token_id is None or self._tokens.find(token_id, self.clock()) is None:
                reason = "no token" if token_id is None else "the token is not valid, or no longer"
                raise Refusal(Kind.DENIED, Resource.ACCOUNT, reason)

    def admit_appkey(self, appkey: str) -> None:
        """Let requests for this account's appkey in."""
        if appkey != self._options.appkey:
            raise Refusal(Kind.DENIED, Resource.ACCOUNT, "no such appkey")

    def page(self, limit: int | None, marker: str | None) -> list[StoredImage]:
        """One page of the image list, in the order and with the reading of markers that the options say."""
        with self.lock:
            self._settle()
            if marker is not None:
                marker = self._marker(marker)
            return self._catalogue.page(
                min(limit or self._options.page_cap, self._options.page_cap),
                marker,
                newest_first=self._options.sort is SortDirection.DESC,
                inclusive=self._options.marker is MarkerReading.INCLUSIVE,
            )

    def _marker(self, marker: str) -> str:
        known = self._known_image(marker)
        if known is None:
            raise Refusal(Kind.BAD_MARKER, Resource.IMAGE, f"no image found with id {marker}")
        return known.id

    def delete_image(self, image_id: str) -> None:
        """Delete an image, unless it is the vendor's, protected, or used by an instance."""
        with self.lock:
            self._settle()
            self.remove_image(self._deletable(image_id).id)

    def _deletable(self, image_id: str) -> StoredImage:
        image = self._known_image(image_id)
        if image is None or image.status in _GONE:
            raise Refusal(Kind.ABSENT, Resource.IMAGE, f"image {image_id} could not be found")
        if image.is_public:
            raise Refusal(Kind.FORBIDDEN, Resource.IMAGE, f"image {image_id} is public and cannot be deleted")
        if image.protected:
            raise Refusal(Kind.FORBIDDEN, Resource.IMAGE, f"image {image_id} is protected and cannot be deleted")
        if user := self._user_of(image.id):
            raise Refusal(Kind.CONFLICT, Resource.IMAGE, f"image {image_id} is in use by instance {user.id}")
        return image

    def _user_of(self, image_id: str) -> StoredInstance | None:
        return next((instance for instance in self._instances.values() if instance.image == image_id), None)

    def list_instances(self, instance_id: str | None = None) -> list[StoredInstance]:
        """All instances, or the one of that id."""
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

    def _known_image(self, image_id: str) -> StoredImage | None:
        found = self._catalogue.get(image_id) or self._catalogue.get(image_id.lower())
        if found is None and not _UUID.fullmatch(image_id):
            raise Refusal(Kind.MALFORMED, Resource.IMAGE, "the image id is not a UUID")
        return found

    def _instance(self, instance_id: str) -> StoredInstance:
        found = self._instances.get(instance_id)
        if found is None and not _UUID.fullmatch(instance_id):
            raise Refusal(Kind.MALFORMED, Resource.INSTANCE, "the instance id is not a UUID")
        if found is None:
            raise Refusal(Kind.ABSENT, Resource.INSTANCE, f"instance {instance_id} could not be found")
        return found

    def _settle(self) -> None:
        """Bring every upload to where it stands by now."""
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
            self._settle()
            return self._catalogue.all()

    @property
    def instances(self) -> dict[str, StoredInstance]:
        """The instances by id, as they are now."""
        with self.lock:
            return dict(self._instances)

    def put_image(self, image: StoredImage) -> None:
        """Add an image, or put it in the place of the one with its id."""
        with self.lock:
            self._catalogue.put(image)

    def change_image(self, image_id: str, **changes: Any) -> StoredImage:
        """Change fields of an image. Raises KeyError if it is not there."""
        with self.lock:
            known = self._catalogue.get(image_id)
            if known is None:
                raise KeyError(image_id)
            changed = replace(known, **changes)
            self._catalogue.put(changed)
            return changed

    def remove_image(self, image_id: str) -> None:
        """Take an image away, whatever its state. Raises KeyError if it is not there."""
        with self.lock:
            self._catalogue.remove(image_id)
            self._uploads.pop(image_id, None)

    def is_deletable(self, image_id: str) -> bool:
        """Whether a deletion of that image would be carried out now."""
        with self.lock:
            try:
                self._deletable(image_id)
            except Refusal:
                return False
            return True

    @contextmanager
    def undoing(self, image_id: str) -> Iterator[None]:
        """Whatever happens to that image inside did not happen; nobody else sees it meanwhile."""
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

    def put_instance(self, instance: StoredInstance) -> None:
        """Add an instance, or put it in the place of the one with its id."""
        with self.lock:
            self._instances[instance.id] = instance

    def change_instance(self, instance_id: str, **changes: Any) -> StoredInstance:
        """Change fields of an instance. Raises KeyError if it is not there."""
        with self.lock:
            changed = replace(self._instances[instance_id], **changes)
            self._instances[instance_id] = changed
            return changed

    def remove_instance(self, instance_id: str) -> None:
        """Take an instance away. Raises KeyError if it is not there."""
        with self.lock:
            del self._instances[instance_id]

    def revoke_tokens(self) -> None:
        """End every token before its time, as a changed API password does."""
        with self.lock:
            self._tokens.revoke()
