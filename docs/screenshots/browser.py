"""The browser's side: runs in `.venv-tools`, reads what to picture as JSON from stdin. Knows nothing of the rest."""

import json
import shutil
import sys
import time
from pathlib import Path

from playwright.sync_api import Error, Page, sync_playwright

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTH = 1280
PATIENCE = 60.0


def shows(tab: Page, text: str) -> bool:
    """Whether the page, or a frame in it (Markdown is in one), has this text by now."""
    try:
        return any(text in str(frame.evaluate("document.body && document.body.innerText")) for frame in tab.frames)
    except Error:  # a frame went while it was asked
        return False


def main() -> None:
    """Make the pictures."""
    order = json.load(sys.stdin)
    columns = json.dumps({"default": [{"label": label} for label in order["columns"]]})
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        context = browser.new_context(color_scheme="light", reduced_motion="reduce")
        # Where the UI keeps which columns its list has; what a person does with the mouse, once.
        context.add_init_script(f"localStorage.setItem('namespace-workflow-table-columns', {json.dumps(columns)})")
        for shot in order["shots"]:
            tab = context.new_page()
            tab.set_viewport_size({"width": shot.get("width", WIDTH), "height": shot["height"]})
            tab.goto(shot["url"], wait_until="load")
            deadline = time.monotonic() + PATIENCE
            while not shows(tab, shot["shows"]):
                assert time.monotonic() < deadline, f"{shot['picture']} does not show {shot['shows']!r}"
                tab.wait_for_timeout(200)
            tab.wait_for_timeout(1000)  # it has no sign of having drawn the last of it
            tab.screenshot(path=str(Path(order["folder"]) / shot["picture"]))
            tab.close()
        browser.close()


if __name__ == "__main__":
    main()
