"""What people use after training."""
