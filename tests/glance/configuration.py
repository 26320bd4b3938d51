"""The configuration files of Keystone and Glance, in a folder of their own, with SQLite and a store of plain files."""

import base64
import os
from datetime import timedelta
from pathlib import Path

from tests.glance.servers import ENVIRONMENT

ADMIN = "admin"
ADMIN_PASSWORD = "admin-s3cret"
REGION = "RegionOne"

_KEYSTONE = """\
[DEFAULT]
log_file = {folder}/keystone.log
[database]
connection = sqlite:///{folder}/keystone.db
sqlite_synchronous = false
[token]
expiration = {lifetime:.0f}
[fernet_tokens]
key_repository = {folder}/keys
[fernet_receipts]
key_repository = {folder}/keys
[credential]
key_repository = {folder}/keys
[identity]
# Hashing is made slow to try for a thief; here every token would pay for it.
password_hash_rounds = 4
[cache]
enabled = true
backend = dogpile.cache.memory
"""

_GLANCE = """\
[DEFAULT]
log_file = {folder}/glance.log
enabled_backends = files:file
enabled_import_methods = [glance-direct]
[database]
connection = sqlite:///{folder}/glance.db
sqlite_synchronous = false
[glance_store]
default_backend = files
[files]
filesystem_store_datadir = {folder}/store
[os_glance_staging_store]
filesystem_store_datadir = {folder}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {folder}/tasks
[paste_deploy]
flavor = keystone
config_file = {environment}/etc/glance/glance-api-paste.ini
[keystone_authtoken]
www_authenticate_uri = {identity}
auth_url = {identity}
auth_type = password
username = {admin}
password = {password}
project_name = {admin}
user_domain_id = default
project_domain_id = default
"""


def write_keystone(folder: Path, lifetime: timedelta) -> None:
    """keystone.conf, and on the first call the keys that tokens are made with."""
    text = _KEYSTONE.format(folder=folder, lifetime=lifetime.total_seconds())
    (folder / "keystone.conf").write_text(text)
    keys = folder / "keys"
    if not keys.exists():
        keys.mkdir(mode=0o700)
        for name in ("0", "1"):
            key = keys / name
            key.touch(mode=0o600)
            key.write_bytes(base64.urlsafe_b64encode(os.urandom(32)))


def write_glance(folder: Path, identity: str) -> None:
    """glance-api.conf, and the folders that it names."""
    for name in ("store", "staging", "tasks"):
        (folder / name).mkdir()
    values = {"folder": folder, "environment": ENVIRONMENT, "identity": identity}
    text = _GLANCE.format(admin=ADMIN, password=ADMIN_PASSWORD, **values)
    (folder / "glance-api.conf").write_text(text)
