"""Foreign bytes to channels of numbers with a clock: one module a format, and what they share."""
