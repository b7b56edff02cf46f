"""From a file to a figure on a square."""
