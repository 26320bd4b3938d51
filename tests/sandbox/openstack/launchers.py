"""Clusters and stacks to put into a sandbox."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from janitor.sandbox.account import Account
from janitor.sandbox.launchers import StoredCluster, StoredNodeGroup, StoredStack
from tests.sandbox.clock import START
from tests.sandbox.openstack.client import Client


def an_id(number: int) -> str:
    return str(UUID(int=number, version=4))


def a_cluster(account: Account, number: int, *groups: StoredNodeGroup) -> StoredCluster:
    cluster = StoredCluster(an_id(number), f"c{number}", an_id(99), groups, START)
    account.put_cluster(cluster)
    return cluster


def a_stack(client: Client, number: int, **fields: Any) -> StoredStack:
    stack = StoredStack(an_id(number), f"s{number}", START - timedelta(days=number), **fields)
    client.sandbox.account.put_stack(stack)
    return stack
