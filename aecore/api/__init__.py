"""The HTTP interface beside the pages: score a log, clean a recording, ask whether the server is well.

Starlette routes and middleware that import nothing of Streamlit; `serve.py` puts them on the pages' port.
"""

from aecore.api.callers import TrustedProxies
from aecore.api.door import ConnectionDoor, MetricsDoor, UploadDoor
from aecore.api.endpoints import routes
from aecore.api.headers import SecurityHeaders

__all__ = ["ConnectionDoor", "MetricsDoor", "SecurityHeaders", "TrustedProxies", "UploadDoor", "routes"]
