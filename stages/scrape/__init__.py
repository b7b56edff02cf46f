"""Stage `scrape`."""
