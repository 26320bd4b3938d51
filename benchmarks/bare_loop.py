"""The baseline: the simplest loop that reads a whole image list, keeping only the ids. Run as a script.

python bare_loop.py ENDPOINT APPKEY USERNAME PASSWORD
"""

import sys

import httpx


def all_ids(endpoint: str, appkey: str, username: str, password: str) -> set[str]:
    """The ids of all images, by pages of 1,000; a page that brings nothing new is the end."""
    base = f"{endpoint}/v1.0/appkeys/{appkey}"
    ids: set[str] = set()
    with httpx.Client(timeout=60) as client:
        auth = {"auth": {"username": username, "password": password}}
        token = client.post(f"{base}/tokens", json=auth).json()["access"]["token"]["id"]
        query: dict[str, str | int] = {"limit": 1000}
        while True:
            page = client.get(f"{base}/images", params=query, headers={"X-Auth-Token": token}).json()["images"]
            before = len(ids)
            ids.update(image["id"] for image in page)
            if len(ids) == before:
                return ids
            query["marker"] = page[-1]["id"]


if __name__ == "__main__":
    print(len(all_ids(*sys.argv[1:])))
