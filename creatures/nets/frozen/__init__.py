"""Networks with ImageNet weights, which are never trained here."""
