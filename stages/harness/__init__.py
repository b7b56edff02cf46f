"""What wraps every stage."""
