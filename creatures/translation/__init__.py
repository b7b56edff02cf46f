"""Outline to picture: U-Net, PatchGAN, palettes, the colourer."""
