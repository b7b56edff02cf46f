"""Stage `gan`."""
