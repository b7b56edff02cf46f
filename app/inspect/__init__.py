"""A page to look through kept and dropped pictures, and to overrule some decisions."""
