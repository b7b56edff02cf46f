"""What two or more stages need."""
