"""What each key is for, in a sentence that editors show beside it."""

from collections.abc import Mapping
from typing import Any

from pydantic.fields import FieldInfo

from janitor.documents.schema import Schema

_A_FILE = "_file"


def use_of(model: type[Schema], key: str, field: FieldInfo) -> str:
    """What a key of that model is for: the table says it, or else the field itself under `json_schema_extra`."""
    uses = _USES.get(model.__name__, {})
    if key.endswith(_A_FILE) and (secret := key.removesuffix(_A_FILE)) in model.model_fields:
        return f"A file that holds {secret}, instead of that key. A relative path is relative to this file."
    extra: Any = field.json_schema_extra
    return uses[key] if key in uses else extra["description"]


_CONDITIONS = {
    "name": "Patterns of names: globs, or regular expressions between slashes. One must match; case matters.",
    "status": "Statuses, of which the image must have one. Without this key a policy with `expire` matches active and "
    "deactivated images only.",
    "disk_format": "Formats of disks, of which the image must have one.",
    "properties": "Properties of the image, each with patterns of which one must match its value.",
    "larger_than": "The size that the image must exceed, with its unit.",
    "smaller_than": "The size that the image must stay below, with its unit.",
    "targets": "Patterns of the names of targets, of which one must match.",
    "tags": "Patterns of tags: at least one tag of the image must match one of them.",
    "visibility": "Visibilities, of which the image must have one.",
    "owner": "Patterns of the id of the project that owns the image.",
    "os_hidden": "Whether the image must be hidden.",
    "not": "Conditions of images that this policy does not match.",
}
_RETRIES = {
    "timeout": "How long one request may take.",
    "attempts": "How often one call is tried.",
    "give_up_after": "How long all tries of one call may take together.",
    "page_size": "How many images a page of a list may have, 2 to 10000.",
    "parallel_pages": "How many pages of a list are read at a time, 1 to 16. 1 reads one after the other.",
    "proxy": "The proxy, like http://proxy:3128 or socks5h://user:password@host:1080.",
    "no_proxy": "What is reached without the proxy: names, ranges of addresses, or *; a list, or text with commas.",
    "ca_file": "A file of the certificates by which servers are verified, instead of those of the system.",
}
_TARGET = {
    "name": "The name of this target, in reports, policies and commands.",
    "username": "Who signs in.",
    "password": "The API password of that user, not that of the console.",
    "http": "How requests to this target are made, where that differs from `http` at the top.",
}
_IMAGELESS = "Write none to say that servers which leave out the key `image` have no image."
_SOURCE = "how much it matters that these are asked what images they use: auto, required, optional or off."

_USES: Mapping[str, Mapping[str, str]] = {
    "PolicyFileSchema": {
        "notice": "How long before its deletion an image is announced, for the policies of this file that say nothing "
        "else.",
        "policies": "The policies. The first one, in the order of files and lines, that matches an image owns it.",
        "exempt": "Images that stay until a date, whatever the policies say.",
    },
    "PolicySchema": {
        "name": "The name of the policy, which no other has.",
        "description": "What the policy is for, for people who read its reports.",
        "match": "The conditions that an image must meet, all of them.",
        "expire": "When images of this policy may be deleted. Without it they are kept forever.",
        "keep": "How many of each family stay, although they have expired.",
        "notice": "How long before its deletion an image is announced, like 48h. 0m deletes without an announcement.",
        "channel": "The channel of Slack in which images of this policy are reported.",
        "contact": "Whom to ask about these images, as reports say it.",
        "owner": "Where the owner of an image is found, who is told of it by `owners` in janitor.yaml.",
    },
    "_Match": _CONDITIONS,
    "_Excluded": _CONDITIONS,
    "_Expire": {
        "after": "After how long an image expires, like 14d or 36h.",
        "since": "From when that is counted: the creation of the image, its last change, when it entered its "
        "status, or its last use.",
    },
    "_Keep": {
        "newest": "How many of the newest images of each family stay.",
        "daily": "For how many days the newest image of the day stays.",
        "weekly": "For how many weeks the newest image of the week stays.",
        "monthly": "For how many months the newest image of the month stays.",
        "yearly": "For how many years the newest image of the year stays.",
        "per": "What a family is: policy, for all images of it; name:/a regular expression with one group/; or "
        "property:KEY.",
    },
    "_Owner": {
        "property": "The property whose value is the owner.",
        "tag": "A pattern of tags in which one * or group stands for the owner, like owner:*.",
        "name": "A pattern of names in which one * or group stands for the owner, like *-dev.",
    },
    "ExemptSchema": {
        "images": "The images, by id or by whole name.",
        "image": "The image, by id or by whole name; the same as `images`.",
        "until": "The end: a date, through the end of that day in `timezone`, or a time with its zone.",
        "why": "Why they stay. Reports say it.",
        "by": "Who grants it. Without this key it is the file.",
    },
    "SettingsSchema": {
        "mode": "dry-run deletes nothing and says what would be deleted; delete deletes.",
        "database": "The file of the database. A relative path is relative to this file.",
        "policies": "The file or folder of the policies. A relative path is relative to this file.",
        "schedule": "When `janitor serve` runs: the five fields of a crontab, in quotes.",
        "timezone": "The IANA name of the time zone of the schedule, and of dates in reports and policies.",
        "targets": "The accounts to clean.",
        "limits": "How much one run may delete in one target. Over a limit, nothing is deleted there.",
        "slack": "Where and what is reported to Slack.",
        "channels": "Where else each report goes.",
        "owners": "Who is told of the images of which owner. It needs `slack` with a bot token.",
        "concurrency": "How much is done at the same time.",
        "http": "How requests are made; a target may override each of these keys.",
        "heartbeat_url": "A URL that is called after each run. It is a secret.",
        "metrics_file": "A file for the metrics of the last run, as node_exporter reads it.",
        "references": "Texts that name images in use: what they name stays.",
        "usage_memory": "How long an image that was seen in use stays guarded; 0m: not at all.",
        "plan_validity": "How long `janitor apply RUN` may apply a plan.",
        "keep_history": "The age at which the details of runs are dropped. Without this key all are kept.",
        "cost": "What storage costs, which turns sizes into money in reports.",
        "fleet": "Thousands of accounts that many hosts clean, instead of `targets` and `database`.",
    },
    "FleetSchema": {
        "database": "The URL of the PostgreSQL that holds the queue. It is a secret.",
        "state": "The folder of the shards, in which each account has its database. A relative path is relative to "
        "this file.",
        "shards": "Over how many folders the accounts are spread, 1 to 1000.",
        "targets": "The accounts: a YAML file with a list like `targets`, a folder of such, or a CSV file with a "
        "template.",
        "template": "The keys of an account, with {column} for what a row of the CSV file says.",
        "deadline": "How long after its beginning a night is summed up, without the accounts that are not done then.",
        "retries": "How often an account that failed is tried again in a night, after the first time; 0: never.",
        "max_deletions_per_night": "How many images one night may delete in all accounts together.",
        "allow_network_filesystem": "Whether `state` may be on a network file system.",
    },
    "LimitsSchema": {
        "max_deletions": "How many images one run may delete.",
        "max_share": "Which share of the images that the target owns one run may delete.",
        "max_shrink": "A survey in which more than this is missing since the last accepted one is implausible.",
        "max_images": "A longer list is an implausible survey, as it may be one without end.",
    },
    "SlackSchema": {
        "webhook_url": "An incoming webhook, which posts to one channel. It is a secret.",
        "token": "A bot token (xoxb-…) with the scopes chat:write and files:write; it needs `channel`. It is a secret.",
        "app_token": "An app-level token (xapp-…), with which clicks on reports are answered. It is a secret.",
        "approvers": "The ids of people and user groups who may keep images for longer by a click.",
        "channel": "The main channel, for a bot token.",
        "base_url": "The URL of Slack's API, for a proxy or a server that is compatible.",
        "post": "Which reports are posted: always, only changes, or only problems.",
        "accepts": "Which answers count as acceptance: Slack's own, or any of 2xx.",
    },
    "ConcurrencySchema": {
        "targets": "How many targets are worked on at once, 1 to 32.",
        "deletions": "How many deletions run at once in each target, 1 to 32.",
    },
    "CostSchema": {
        "per_gib_month": "What a GiB costs in a month.",
        "currency": "The currency of that price, like USD or KRW.",
    },
    "ReferenceSchema": {
        "files": "A glob of files that name images. A relative one is relative to this file.",
        "url": "The URL of a text that names images: https, or on this machine.",
        "token": "What is sent to the URL as Authorization: Bearer. It is a secret.",
        "names": "Whether names count beside ids: true, false, or newest, for the newest image of each name.",
        "needed": "required keeps every image where the text cannot be read; optional says so in the report.",
    },
    "HttpSchema": _RETRIES,
    "OpenStackSchema": {
        **_TARGET,
        "api": "openstack is the Image API v2, of NHN Cloud and every OpenStack cloud.",
        "cloud": "The name of a cloud of clouds.yaml, which gives the credentials.",
        "identity": "The URL of an Identity v2.0, such as NHN Cloud's; with tenant_id, username and password.",
        "tenant_id": "The id of the project.",
        "region": 'The region, or "*" for each one that has images.',
        "image_endpoint": "The URL of the image service, instead of those in the catalogue.",
        "shared": "guard keeps images of ours that another project accepted; ignore does not.",
        "usage": "How much each source of usage matters.",
    },
    "UsageSchema": {
        "servers": f"Servers: {_SOURCE}",
        "volumes": f"Volumes: {_SOURCE}",
        "clusters": f"Clusters: {_SOURCE}",
        "stacks": f"Stacks: {_SOURCE}",
        "snapshots": f"Images that are built upon others: {_SOURCE}",
        "imageless": _IMAGELESS,
    },
    "ToastSchema": {
        **_TARGET,
        "api": "toast is the Compute API v1.0 of NHN Cloud (TOAST).",
        "endpoint": "The URL of the Compute API, where it is not the vendor's.",
        "appkey": "The appkey of the Compute service. It is a secret.",
        "usage": "What this API does not specify about usage.",
    },
    "ToastUsageSchema": {"imageless": _IMAGELESS},
    "RecipientSchema": {
        "channel": 'A channel of Slack, by its name in quotes like "#team-web", or by its id (C…).',
        "user": "A person, who gets direct messages: an id of Slack's (U…, W…) or an e-mail address.",
        "mention": "Whether the user is mentioned; with a channel, the report goes there.",
    },
    "DomainsSchema": {"domains": "The domains in which owners that are e-mail addresses are looked up in Slack."},
    "PolicyTestSchema": {
        "now": "The time at which the images are decided on: a date, or a time with its zone.",
        "timezone": "The IANA name of the zone of dates here, instead of that of janitor.yaml.",
        "usage_memory": "How long an image that was seen in use stays guarded, instead of what janitor.yaml says.",
        "target": "The names of the target of these images.",
        "images": "The images, each with what matters; the rest has ordinary values.",
        "expect": "What is to be decided for each image, by its name or id.",
    },
    "ImageSchema": {
        "name": "The name of the image.",
        "id": "The id of the image.",
        "age": "How long ago the image was created, like 20d.",
        "created": "When the image was created: how long ago, or a date.",
        "updated": "When the image was last changed: how long ago, or a date.",
        "status": "The status of the image.",
        "in_status": "When the image entered its status: how long ago, or a date.",
        "size": "The size of the image, with its unit.",
        "disk_format": "The format of its disk; other is one that no policy can name.",
        "properties": "The properties of the image.",
        "tags": "The tags of the image.",
        "visibility": "Who sees the image.",
        "public": "Whether everybody sees the image.",
        "owner": "The id of the project that owns the image.",
        "owned": "Whether the image belongs to the target's project.",
        "protected": "Whether the cloud protects the image from deletion.",
        "os_hidden": "Whether the image is hidden from lists.",
        "in_use": "The names of servers that use the image.",
        "referenced": "The texts that name the image, as `references` in janitor.yaml declares them.",
        "last_used": "When the image was last seen in use: how long ago, or a date.",
        "user_deleted": "Whether what used the image last is deleted.",
        "watched": "Since when the janitor knows the image: how long ago, or a date.",
        "announced": "When the deletion of the image was announced: how long ago, like 50h, or a date.",
        "exempt": "The end of an exemption of the image, or its end and its reason.",
        "shared_with": "The projects that accepted the image as shared.",
        "offered_to": "The projects that the image is offered to and that have not accepted it.",
        "refused": "When the cloud last rejected the deletion of the image: how long ago, or a date.",
        "refusals": "How often the cloud has rejected its deletion.",
        "unknown": "The facts that are not known of the image.",
        "unreadable": "The values of the image that could not be read, each with what was there.",
    },
    "ExemptionSchema": {
        "until": "The end of the exemption: a date, through the end of that day, or a time with its zone.",
        "why": "Why it stays.",
    },
    "ExpectationSchema": {
        "verdict": "What is decided: keep, wait or delete; any, where it does not matter.",
        "keep": "The reason for which the image is kept.",
        "wait": "The policy under which the image waits for its deletion.",
        "delete": "The policy under which the image is deleted.",
        "policy": "The policy that owns the image.",
        "reason": "The reason of the decision.",
        "due": "The date on which the image is due.",
    },
}
