"""Starts Keystone, Glance and the stand-ins, and always stops them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.glance.configuration import ADMIN_PASSWORD, REGION, write_glance, write_keystone
from tests.glance.database import Database
from tests.glance.identity import Identity, Person
from tests.glance.images import Images
from tests.glance.servers import Server, run
from tests.glance.stand_ins import Cinder, Nova

LIFETIME = timedelta(hours=1)


@dataclass(slots=True)
class Cloud:
    """A running cloud; its region is `configuration.REGION`."""

    folder: Path
    identity: Identity
    nova: Nova
    cinder: Cinder
    keystone: Server
    glance: Server
    _open: ExitStack

    @property
    def database(self) -> Database:
        return Database(self.folder / "glance.db")

    @property
    def admin(self) -> Person:
        return self.identity.admin

    def member(self, role: str = "member") -> Person:
        """A person with that role in a new, empty project."""
        return self.identity.person(*self.identity.project(), role)

    def colleague(self, person: Person, role: str) -> Person:
        """Another person with that role in the same project."""
        return self.identity.person(person.project_id, person.project_name, role)

    def outsider(self) -> Person:
        """A person without a role in the project that they name."""
        return replace(self.member(), project_name=self.member().project_name)

    def images(self, person: Person) -> Images:
        """Glance as that person sees it, by a token taken now."""
        return self._open.enter_context(closing(Images(self.glance.url, person.token())))

    def stored(self, image_id: str) -> Path:
        """Where the data of an image is."""
        return self.folder / "store" / image_id

    def restart_keystone(self, lifetime: timedelta = LIFETIME) -> None:
        """Give new tokens another lifetime, in whole seconds. Those issued before keep theirs."""
        write_keystone(self.folder, lifetime)
        self.keystone.stop()
        self.keystone.start()
        self.keystone.wait()

    def restart_glance(self, workers: int = 1) -> None:
        """Serve images by so many processes; see `Server.start`."""
        self.glance.stop()
        self.glance.start(workers=workers)
        self.glance.wait()


@contextmanager
def running(lifetime: timedelta = LIFETIME) -> Iterator[Cloud]:
    """A fresh cloud, in a folder of its own.

    Raises NotStarted, which names the part that is missing or did not start.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="janitor-glance-")))
        keystone, glance = (
            stack.enter_context(closing(Server(name, f"{name}.wsgi.api", folder, {variable: str(folder)})))
            for name, variable in (("keystone", "OS_KEYSTONE_CONFIG_DIR"), ("glance", "OS_GLANCE_CONFIG_DIR"))
        )
        url = f"{keystone.url}/v3"
        write_keystone(folder, lifetime)
        write_glance(folder, url)
        _prepare(folder, url)
        keystone.start()
        glance.start()
        keystone.wait()
        glance.wait()
        identity = stack.enter_context(closing(Identity(url)))
        nova = stack.enter_context(Nova(identity))
        cinder = stack.enter_context(Cinder(identity))
        identity.endpoint("image", glance.url)
        identity.endpoint("compute", nova.endpoint)
        identity.endpoint("volumev3", cinder.endpoint)
        yield Cloud(folder, identity, nova, cinder, keystone, glance, stack.enter_context(ExitStack()))


def _prepare(folder: Path, url: str) -> None:
    """Make both databases, with an administrator and Keystone itself in Keystone's."""
    with ThreadPoolExecutor(2) as threads:
        for task in (threads.submit(_prepare_keystone, folder, url), threads.submit(_prepare_glance, folder)):
            task.result()


def _prepare_keystone(folder: Path, url: str) -> None:
    configured = ("--config-file", str(folder / "keystone.conf"))
    run("keystone-manage", *configured, "db_sync")
    places = ("--bootstrap-public-url", url, "--bootstrap-internal-url", url, "--bootstrap-region-id", REGION)
    run("keystone-manage", *configured, "bootstrap", *places, "--bootstrap-password", ADMIN_PASSWORD)


def _prepare_glance(folder: Path) -> None:
    run("glance-manage", "--config-file", str(folder / "glance-api.conf"), "db_sync")
