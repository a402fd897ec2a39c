"""The HTTP interface beside the pages: score a log, clean a recording, ask whether the server is well.

Starlette routes and middleware that know nothing of Streamlit; `serve.py` puts them on the pages' port.
"""

from aecore.api.endpoints import routes
from aecore.api.headers import SecurityHeaders

__all__ = ["SecurityHeaders", "routes"]
