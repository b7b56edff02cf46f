"""The adversarial step: losses, penalties, and the one objective of both trainers."""
