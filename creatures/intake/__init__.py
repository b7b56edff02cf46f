"""A set of pictures before any is decoded: its labels and splits, from the names of its files."""
