"""The pages and the HTTP interface on one port: ``streamlit run serve.py``, with Streamlit's settings and variables.

``streamlit run Home.py`` goes on serving the pages alone. The README and `docs/HOSTING.md` say how this is hosted.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from aecore import logs
from aecore.admission import uploads
from aecore.api import ConnectionDoor, MetricsDoor, SecurityHeaders, TrustedProxies, UploadDoor, routes
from pages.ui.frame import guard


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Take the logs over from the web server, which has set its own up by now, and set the limits up."""
    logs.install()
    guard.install()
    yield


app = st.App(
    Path(__file__).with_name("Home.py"),
    routes=routes(),
    middleware=[
        Middleware(TrustedProxies),  # first: all that follows counts by the caller's address
        Middleware(SecurityHeaders),
        Middleware(MetricsDoor),
        Middleware(ConnectionDoor),
        Middleware(UploadDoor, uploads=uploads),
    ],
    lifespan=lifespan,
)
