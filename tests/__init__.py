"""Tests, mirroring stages/ and app/."""
