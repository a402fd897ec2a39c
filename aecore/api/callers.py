"""Find the address of a caller behind proxies, before anything is counted by it."""

import ipaddress
import os
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from aecore.admission import fold

# uvicorn reads the same name.
TRUSTED_VARIABLE = "FORWARDED_ALLOW_IPS"
# A proxy on this machine has one of these addresses.
LOCAL = "127.0.0.1,::1"


class TrustedProxies:
    """ASGI middleware that puts the caller's address into the scope, where a trusted proxy names it.

    uvicorn does this for proxies that it sees under the very address that it was told. Behind a socket that listens on
    ``::`` a proxy at 127.0.0.1 is ``::ffff:127.0.0.1``, which uvicorn does not recognize.
    """

    def __init__(self, app: ASGIApp, trusted: str | None = None) -> None:
        self._app = app
        listed = os.environ.get(TRUSTED_VARIABLE, LOCAL) if trusted is None else trusted
        names = [name.strip() for name in listed.split(",") if name.strip()]
        self._all = "*" in names
        self._networks = [
            ipaddress.ip_network(name, strict=False) for name in names if name != "*" and _is_network(name)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with the caller's address, and the scheme that the caller used."""
        if scope["type"] in ("http", "websocket"):
            client = scope.get("client")
            peer = fold(client[0] if client else None)
            if client:
                scope["client"] = (peer, client[1])
            if self._trusts(peer):
                said = _values(scope, b"x-forwarded-for")
                if said:
                    scope["client"] = (self._caller(said), 0)
                scheme = _values(scope, b"x-forwarded-proto")
                if scheme and scheme[-1] in ("http", "https"):
                    web = scope["type"] == "websocket"
                    scope["scheme"] = {"http": "ws", "https": "wss"}[scheme[-1]] if web else scheme[-1]
        await self._app(scope, receive, send)

    def _caller(self, addresses: Sequence[str]) -> str:
        """Return the last address that is no trusted proxy's; the caller may have written those before it."""
        folded = [fold(_without_port(address)) for address in addresses]
        return next((address for address in reversed(folded) if not self._trusts(address)), folded[0])

    def _trusts(self, address: str) -> bool:
        if self._all:
            return True
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


def _is_network(name: str) -> bool:
    try:
        ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False  # a name or a socket's path, which uvicorn may know
    return True


def _values(scope: Scope, wanted: bytes) -> list[str]:
    joined = b",".join(value for name, value in scope["headers"] if name == wanted).decode("latin-1")
    return [value.strip() for value in joined.split(",") if value.strip()]


def _without_port(address: str) -> str:
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
