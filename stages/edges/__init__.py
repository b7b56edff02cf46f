"""Stage `edges`."""
