"""Stage `names`."""
