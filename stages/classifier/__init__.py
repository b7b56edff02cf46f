"""Stage `classifier`."""
