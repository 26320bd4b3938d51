"""The bare loop for an OpenStack cloud: the simplest one that reads a whole image list, keeping only the ids.

Run as a script.

python openstack_loop.py AUTH_URL USERNAME PASSWORD PROJECT, all in the default domain and the first region
"""

import sys

import httpx


def all_ids(auth_url: str, username: str, password: str, project: str) -> set[str]:
    """The ids of all images that the plain list shows, by pages of 1,000, as `next` leads."""
    domain = {"id": "default"}
    user = {"name": username, "password": password, "domain": domain}
    identity = {"methods": ["password"], "password": {"user": user}}
    scope = {"project": {"name": project, "domain": domain}}
    ids: set[str] = set()
    with httpx.Client(timeout=60) as client:
        signed_in = client.post(f"{auth_url}/auth/tokens", json={"auth": {"identity": identity, "scope": scope}})
        services = {service["type"]: service["endpoints"] for service in signed_in.json()["token"]["catalog"]}
        root = next(endpoint["url"] for endpoint in services["image"] if endpoint["interface"] == "public")
        following: str | None = "/v2/images?limit=1000"
        while following is not None:
            answer = client.get(root + following, headers={"X-Auth-Token": signed_in.headers["X-Subject-Token"]})
            page = answer.json()
            ids.update(image["id"] for image in page["images"])
            following = page.get("next")
    return ids


if __name__ == "__main__":
    print(len(all_ids(*sys.argv[1:])))
