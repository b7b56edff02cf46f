"""The page: `python -m app serve`."""
