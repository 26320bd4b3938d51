"""The baseline: the simplest loop that reads whole image lists, keeping only the ids. Run as a script.

python bare_loop.py ENDPOINT APPKEY...
"""

import sys

import httpx


def all_ids(client: httpx.Client, account: str) -> set[str]:
    """The ids of all images of an account, by pages of 1,000; a page that brings nothing new is the end."""
    auth = {"auth": {"username": "bench", "password": "bench"}}
    token = client.post(f"{account}/tokens", json=auth).json()["access"]["token"]["id"]
    ids: set[str] = set()
    query: dict[str, str | int] = {"limit": 1000}
    while True:
        page = client.get(f"{account}/images", params=query, headers={"X-Auth-Token": token}).json()["images"]
        before = len(ids)
        ids.update(image["id"] for image in page)
        if len(ids) == before:
            return ids
        query["marker"] = page[-1]["id"]


if __name__ == "__main__":
    endpoint, *appkeys = sys.argv[1:]
    with httpx.Client(timeout=60) as http:
        print(sum(len(all_ids(http, f"{endpoint}/v1.0/appkeys/{appkey}")) for appkey in appkeys))
