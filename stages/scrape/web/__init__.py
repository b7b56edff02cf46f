"""The one downloader of the sources that fetch pictures by address."""
