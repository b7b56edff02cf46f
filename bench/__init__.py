"""Measurements anyone can run again."""

import creatures as creatures  # sets what must be set before torch loads
