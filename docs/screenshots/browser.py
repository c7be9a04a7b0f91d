"""The browser's side: runs in `.venv-tools`, reads what to look at as JSON from stdin. Knows nothing of the rest."""

import json
import shutil
import sys
import time
from typing import Any

from playwright.sync_api import Browser, Error, Page, sync_playwright

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60.0


def text_of(tab: Page) -> str:
    """What the page, and the frames in it (Markdown is in one), show by now."""
    try:
        return "\n".join(str(frame.evaluate("document.body && document.body.innerText")) for frame in tab.frames)
    except Error:  # a frame went while it was asked
        return ""


def look(browser: Browser, order: dict[str, Any]) -> None:
    """Open a page in a window of its own, wait for what it shall show, and make the picture."""
    context = browser.new_context(color_scheme="light", reduced_motion="reduce")
    for name, value in order["storage"].items():
        context.add_init_script(f"localStorage.setItem({json.dumps(name)}, {json.dumps(json.dumps(value))})")
    tab = context.new_page()
    tab.set_viewport_size({"width": order["width"], "height": order["height"]})
    tab.goto(order["url"], wait_until="load")
    deadline = time.monotonic() + PATIENCE
    while order["shows"] not in (shown := text_of(tab)):
        if time.monotonic() > deadline:
            sys.exit(f"{order['url']} does not show {order['shows']!r}, but\n{shown[-1500:]}")
        tab.wait_for_timeout(200)
    if order["picture"] is not None:
        tab.wait_for_timeout(1000)  # it has no sign of having drawn the last of it
        tab.screenshot(path=order["picture"])
    shown = text_of(tab)
    for hidden in order["hides"]:
        if hidden in shown:
            sys.exit(f"{order['url']} shows {hidden!r}")
    context.close()


def main() -> None:
    """Look at everything, in order."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for order in json.load(sys.stdin):
            look(browser, order)
        browser.close()


if __name__ == "__main__":
    main()
