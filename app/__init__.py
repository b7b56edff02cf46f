"""Commands for the trained networks."""

import sys

import creatures as creatures  # sets what must be set before torch is loaded
from creatures.runtime.signals import STOPPED, end_at_once

if sys.argv[:1] == ["-m"] and "app" in sys.orig_argv:
    end_at_once("app", STOPPED)  # until app.__main__ takes over
