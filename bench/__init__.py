"""Measurements anyone can run again."""

import stages as stages  # sets what must be set before torch loads
