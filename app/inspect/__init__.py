"""A page to look through kept and dropped pictures, and to decide otherwise about some."""
