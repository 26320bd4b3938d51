"""Where the lists of an OpenStack sandbox are, from the root of a region."""

from janitor.sandbox.models import OURS

IMAGES = "/image/v2/images"
SERVERS = f"/compute/v2.1/{OURS}/servers/detail"
VOLUMES = f"/volume/v3/{OURS}/volumes/detail"
CLUSTERS = "/container-infra/v1/clusters"
TEMPLATES = "/container-infra/v1/clustertemplates"
STACKS = f"/orchestration/v1/{OURS}/stacks"
REFERENCE = "/references/launch-templates.json"
