"""The review app as a person sees it: a server in a process of its own, and Chromium before it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
TOKEN = "a-token-for-tests-only"  # noqa: S105 - of a server that lives as long as a test
WATCH_LONG_TASKS = """
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.longTasks.push(entry.duration);
}).observe({ type: "longtask", buffered: true });
"""


def reason_to_skip() -> str | None:
    """Why no browser can be used here; None where one can."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed"
    return None if CHROMIUM.exists() else f"there is no {CHROMIUM}"


class Server:
    """`safelight review` on a folder. It can be killed and started again, under the same address."""

    def __init__(
        self,
        folder: Path | None,
        library: Path,
        *,
        name: str = "Ada",
        host: str = "localhost",
        more: tuple[str, ...] = (),
    ) -> None:
        self.folder, self.library, self.name, self.host, self.more = folder, library, name, host, more
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://localhost:{self.port}"

    @property
    def link(self) -> str:
        """The link with the key."""
        return f"{self.address}/?token={TOKEN}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        words = [str(self.folder)] if self.folder else []
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "safelight", "review", *words, "--library", str(self.library), "--port",
                str(self.port), "--host", self.host, "--no-browser", "--token", TOKEN, "--by", self.name, *self.more,
            ],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                place = "127.0.0.1" if self.host == "localhost" else self.host
                socket.create_connection((place, self.port), timeout=5).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        self.kill()
        raise TimeoutError("the review app does not answer")

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """Ends it as Ctrl-C does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)
            self.process = None


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    os.environ.setdefault("PLAYWRIGHT_SKIP_VALIDATE_HOST_REQUIREMENTS", "1")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
