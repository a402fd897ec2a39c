"""The pages as `serve.py` hosts them: every browser component works under the content security policy."""

import pytest

from tests.browser.conftest import settle
from tests.servers import serving

pytestmark = pytest.mark.browser


def test_pages_work_under_the_policy(open_page, tmp_path):
    """What the policy blocks is an error in the browser's console, and that fails the test."""
    with serving(tmp_path) as server:
        page = open_page(server.url)
        page.locator("canvas").first.wait_for(timeout=60_000)
        for name in ("VAE_Morphing", "Audio_Denoising"):
            page.goto(f"{server.url}/{name}")
            settle(page)
            page.locator("canvas").first.wait_for(timeout=60_000)
            page.get_by_role("button", name="Copy").last.wait_for(timeout=60_000)
