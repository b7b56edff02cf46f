"""Feature networks and the figures computed on them."""
