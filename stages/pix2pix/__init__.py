"""Stage `pix2pix`."""
