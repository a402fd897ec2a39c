"""Where arrays come from: drawn, simulated, shipped, or brought by a visitor; numpy throughout, no torch."""
