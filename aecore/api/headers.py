"""Headers that tell a browser what pages of this server may do; for HTTP answers, pages and interface alike."""

import os

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What the pages need: their own files; styles set by script; chart expressions, which Vega compiles; components'
# scripts and sounds out of memory (blob:); the websocket. Nothing from elsewhere, and no frame of another site.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "connect-src": "'self' data: blob:",  # browsers count the websocket of the same host in
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}


def security_headers() -> dict[str, str]:
    """Return headers for every answer; $AECORE_FRAMES names sites that may show the pages in a frame."""
    frames = os.environ.get("AECORE_FRAMES", "").split()
    ancestors = " ".join(["'self'", *(site for site in frames if site.startswith("https://") and ";" not in site)])
    policy = POLICY | {"frame-ancestors": ancestors}
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",  # links hold settings and files' fingerprints
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()",
    }


class SecurityHeaders:
    """ASGI middleware that adds the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._headers = app, security_headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add to what comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if scope.get("scheme") == "https":  # the caller's, where a trusted proxy says so
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
                    message["headers"] = [_secure(name, value) for name, value in message["headers"]]
            await send(message)

        await self._app(scope, receive, sending)


def _secure(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Have a browser send a cookie over TLS alone; Streamlit does so only where it holds the certificate itself."""
    if name.lower() == b"set-cookie" and b"secure" not in value.lower().replace(b" ", b"").split(b";"):
        return name, value + b"; Secure"
    return name, value
