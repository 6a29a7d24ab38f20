"""The built site in real headless Chromium. `make test-site` builds it first."""

from __future__ import annotations

import functools
import gzip
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request, sync_playwright

CHECKOUT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Nothing that a browser does of its own accord shall be taken for the site's.
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


class Server(http.server.SimpleHTTPRequestHandler):
    """A plain web server: what is text goes out compressed, as it does wherever pages are hosted."""

    TEXT = (".html", ".css", ".js", ".mjs", ".json", ".svg")

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() and self.path.split("?")[0].endswith("/") else path
        if path.suffix not in self.TEXT or not path.is_file():
            return super().do_GET()
        content = gzip.compress(path.read_bytes(), 6)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def serve(folder: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="session")
def built() -> Path:
    folder = CHECKOUT / "site"
    assert (folder / "index.html").exists(), "the site is not built; run make docs"
    return folder


@pytest.fixture(scope="session")
def site(built: Path) -> Iterator[str]:
    """The address of the served site, without a slash at its end."""
    yield from serve(built)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    assert CHROMIUM, "there is no Chromium; on Debian and Ubuntu: apt install chromium fonts-noto-cjk"
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
    yield browser
    browser.close()


class Watch:
    """What must not happen on any page: a request to another host, a missing file, an error, a broken CSP."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self.home, self.faults, self.requests = home, [], []
        context.on("request", self.requested)
        context.on("response", lambda r: r.status >= 400 and self.faults.append(f"{r.status} {r.url}"))
        context.on("console", lambda m: m.type in ("error", "warning") and self.faults.append(f"console: {m.text}"))
        context.on("weberror", lambda e: self.faults.append(f"error: {e.error}"))
        context.on("dialog", lambda d: (self.faults.append(f"dialog: {d.message}"), d.dismiss()))

    def requested(self, request: Request) -> None:
        self.requests.append(request.url)
        if not request.url.startswith((self.home, "data:", "blob:")):
            self.faults.append(f"a request to a third party: {request.url}")


@pytest.fixture
def context(browser: Browser, site: str) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    )
    watch = Watch(context, site)
    context.watch = watch  # type: ignore[attr-defined]
    yield context
    context.close()
    assert watch.faults == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
