"""HTTP that is bounded in time and size, retried, stoppable and free of redirects. It knows no API.

Requests are sent by `http`, which loads httpx; the names here load next to nothing.
"""

from janitor.transport.messages import Call, Reply, path_segment
from janitor.transport.patience import HttpOptions, Transient

__all__ = ["Call", "HttpOptions", "Reply", "Transient", "path_segment"]
