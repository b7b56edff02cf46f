"""The browser that tests use the page with, if there is one."""

from __future__ import annotations

import shutil

CHROMIUM = shutil.which("chromium")
# it asks its makers for updates and more by itself: it finds no machine but this one
ALONE = ["--no-sandbox", "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
