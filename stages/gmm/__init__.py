"""Stage `gmm`."""
