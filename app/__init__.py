"""Commands for the trained networks."""

import sys

from creatures.runtime.signals import STOPPED, end_at_once
from creatures.runtime.tuning import tune

tune()  # before torch is imported

if sys.argv[:1] == ["-m"] and "app" in sys.orig_argv:
    end_at_once("app", STOPPED)  # until app.__main__ takes over
