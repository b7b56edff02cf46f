"""Stage `pretrain`."""
