"""Who may see and delete an image, by Glance's stock policies for a plain member of a project."""

from janitor.sandbox.models import OURS, StoredImage, StoredInstance
from janitor.sandbox.refusals import Kind, Refusal, Resource

_HELD = "The image cannot be deleted because it is in use through the backend store outside of Glance."


def can_see(image: StoredImage) -> bool:
    """Whether the project can read the image by its id; pending and rejected members can, too."""
    open_to_all = image.owner is None or image.visibility in ("public", "community")
    shared_with_us = image.visibility == "shared" and OURS in image.members
    return image.status != "deleted" and (open_to_all or image.owner == OURS or shared_with_us)


class GlanceRules:
    """The account's rules as in Glance: it does not know servers, and allows deleting own public images."""

    def deletion(self, image_id: str, image: StoredImage | None, user: StoredInstance | None) -> Refusal | None:  # noqa: ARG002 - what uses an image is unknown to Glance
        """Why that image is not deleted, if it is not."""
        if image is None or not can_see(image):
            return _no(Kind.ABSENT, f"Failed to find image {image_id} to delete")
        if image.owner != OURS:
            return _no(Kind.FORBIDDEN, "You are not authorized to complete delete_image action.")
        if image.protected:
            return _no(Kind.FORBIDDEN, f"Image {image_id} is protected and cannot be deleted.")
        held = f"Image {image_id} could not be deleted because it is in use: {_HELD}"
        return _no(Kind.CONFLICT, held) if image.held else None

    def marker(self, image_id: str, image: StoredImage | None) -> Refusal | None:
        """Why that image is not a marker, if it is not."""
        if image is None or image.status == "deleted":
            return _no(Kind.BAD_MARKER, f"No image found with ID {image_id}")
        seen = can_see(image)
        return None if seen else _no(Kind.FORBIDDEN, f"Forbidding request, image {image_id} not visible")

    def instance(self, instance_id: str) -> Refusal:
        """What is said about a server that does not exist."""
        return Refusal(Kind.ABSENT, Resource.INSTANCE, f"Instance {instance_id} could not be found.")


def _no(kind: Kind, message: str) -> Refusal:
    return Refusal(kind, Resource.IMAGE, message)
