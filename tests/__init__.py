"""Tests, in the tree of what they test: creatures/, stages/, app/, bench/ and examples/."""
