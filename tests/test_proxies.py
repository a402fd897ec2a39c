"""Who calls, behind proxies: a real nginx set up as `docs/HOSTING.md` says, and headers that anybody can forge."""

import asyncio
import contextlib
import http.client
import ipaddress
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from aecore.api import SecurityHeaders, TrustedProxies
from tests.visitor import run

ROOT = Path(__file__).parents[1]


def nginx_path():
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        if os.environ.get("AECORE_REQUIRE_NGINX") == "1":
            pytest.fail("AECORE_REQUIRE_NGINX=1, but there is no nginx")
        pytest.skip("there is no nginx (Debian: nginx-light)")
    return found


async def tell(request):
    return JSONResponse({"caller": request.client.host, "scheme": request.url.scheme})


@contextlib.contextmanager
def telling(address, trusted=None):
    """A server of ours, on an address as Streamlit binds it, that says who it thinks calls; yields its port."""
    app = Starlette(
        routes=[Route("/who", tell)], middleware=[Middleware(TrustedProxies, trusted), Middleware(SecurityHeaders)]
    )
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as bound:
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            bound.bind((address, 0))
        except OSError:
            pytest.skip("there is no IPv6 here")
        bound.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])), daemon=True)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield bound.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)


def ask(port, host="127.0.0.1", source=None, **headers):
    connection = http.client.HTTPConnection(host, port, timeout=20, source_address=source and (source, 0))
    try:
        connection.request("GET", "/who", headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return json.loads(answer.read()) | {"hsts": answer.headers.get("Strict-Transport-Security")}
    finally:
        connection.close()


@contextlib.contextmanager
def proxied(folder, port):
    """The nginx of HOSTING.md in front of a port, without its certificate; yields its own port."""
    example = re.search(r"<!-- nginx -->\n```nginx\n(.*?)```", (ROOT / "docs/HOSTING.md").read_text(), re.S)[1]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        own = probe.getsockname()[1]
    example = example.replace("listen 443 ssl;", f"listen 127.0.0.1:{own};").replace(
        "127.0.0.1:8501", f"127.0.0.1:{port}"
    )
    example = re.sub(r".*127\.0\.0\.1:8502;\n", "", example)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off;\n{temporary}{example}}}\n"
    )
    process = subprocess.Popen([nginx_path(), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "error.log"])
    try:
        end = time.monotonic() + 20
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", own), 1):
                break
            time.sleep(0.05)
        yield own
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("address", ["127.0.0.1", "::"], ids=["one address", "every address"])
def test_nginx_tells_who_calls(address, tmp_path):
    nginx_path()
    with telling(address) as port, proxied(tmp_path, port) as proxy:
        assert ask(proxy, source="127.0.0.2")["caller"] == "127.0.0.2"
        assert ask(proxy, source="127.0.0.3")["caller"] == "127.0.0.3"
        forged = ask(proxy, source="127.0.0.2", X_Forwarded_For="198.51.100.9", X_Forwarded_Proto="https")
        assert (forged["caller"], forged["scheme"]) == ("127.0.0.2", "http")


def test_a_proxy_seen_as_a_mapped_address_is_the_same_proxy():
    with telling("::") as port:
        told = ask(port, X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="https")
        assert (told["caller"], told["scheme"]) == ("203.0.113.9", "https")
        assert told["hsts"]
        assert ask(port)["caller"] == "127.0.0.1"


def test_what_a_stranger_says_of_himself_does_not_count():
    with telling("127.0.0.1", trusted="127.0.0.9") as port:
        told = ask(port, source="127.0.0.2", X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="https")
        assert (told["caller"], told["scheme"], told["hsts"]) == ("127.0.0.2", "http", None)
    with telling("127.0.0.1") as port:
        behind = ask(port, X_Forwarded_For="198.51.100.1, 203.0.113.9")
        assert behind["caller"] == "203.0.113.9"  # what the proxy added, not what came to it


def scope(client, *forwarded):
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"type": "http", "client": (client, 5), "scheme": "http", "headers": headers}


def caller(trusted, client, *forwarded):
    seen = {}

    async def app(scope, receive, send):
        seen.update(scope)

    run(lambda: TrustedProxies(app, trusted)(scope(client, *forwarded), None, None))
    return seen["client"][0]


@pytest.mark.parametrize(
    ("trusted", "client", "forwarded", "expected"),
    [
        ("10.0.0.0/8", "203.0.113.5", ["198.51.100.1"], "203.0.113.5"),
        ("10.0.0.0/8", "10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.0/8", "::ffff:10.0.0.1", ["198.51.100.1, 203.0.113.5, 10.0.0.2"], "203.0.113.5"),
        ("10.0.0.0/8", "10.0.0.1", ["198.51.100.1", "203.0.113.5:4711"], "203.0.113.5"),
        ("10.0.0.0/8", "10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.0/8", "10.0.0.1", ["rubbish"], "unknown"),
        ("10.0.0.0/8", "10.0.0.1", ["10.0.0.7, 10.0.0.8"], "10.0.0.7"),
        ("*", "203.0.113.5", ["198.51.100.1, 10.0.0.1"], "198.51.100.1"),
        ("", "127.0.0.1", ["198.51.100.1"], "127.0.0.1"),
        ("a-name, 10.0.0.0/8", "10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
    ],
)
def test_the_last_untrusted_address_is_the_caller(trusted, client, forwarded, expected):
    assert caller(trusted, client, *forwarded) == expected


def test_compose_trusts_the_bridge_over_which_its_proxy_comes():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    said = compose["services"]["app"]["environment"]["FORWARDED_ALLOW_IPS"]

    def resolved(text, **values):  # ${NAME:-default} and ${NAME:+text}, as compose has them
        text = re.sub(r"\$\{(\w+):\+([^}]*)\}", lambda m: m[2] if values.get(m[1]) else "", text)
        return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda m: values.get(m[1]) or m[2], text)

    subnet = ipaddress.ip_network(resolved(compose["networks"]["outside"]["ipam"]["config"][0]["subnet"]))
    gateway = str(next(subnet.hosts()))
    assert caller(resolved(said), gateway, "203.0.113.9") == "203.0.113.9"
    assert caller(resolved(said), "192.0.2.4", "203.0.113.9") == "192.0.2.4"
    assert caller(resolved(said, PROXY_ADDRESS="192.0.2.4"), "192.0.2.4", "203.0.113.9") == "203.0.113.9"
    other = {"EDGE_SUBNET": "10.9.8.0/24"}
    assert caller(resolved(said, **other), "10.9.8.1", "203.0.113.9") == "203.0.113.9"
    assert all(port.startswith("127.0.0.1:") for port in compose["services"]["app"]["ports"])
