"""The pipeline's stages, a package each, in the order of dvc.yaml."""

import re
import sys

from creatures.runtime.signals import INTERRUPTED, end_at_once
from creatures.runtime.tuning import tune

tune()  # before torch is imported


def _module() -> str:
    """Name of the module that `python -m` runs, else ""; called while Python is still locating that module."""
    if sys.argv[:1] != ["-m"]:
        return ""
    for place, word in enumerate(sys.orig_argv[1:], 1):
        if match := re.fullmatch("-[bBdEiIOPqRsSuvx]*m(.*)", word):
            return match[1] or sys.orig_argv[place + 1]
    return ""


if (_name := _module()).startswith("stages."):
    end_at_once(_name.removeprefix("stages."), INTERRUPTED)  # until stages.harness.stage.run takes over
