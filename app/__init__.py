"""What people use after training."""

import stages as stages  # sets what must be set before torch loads
