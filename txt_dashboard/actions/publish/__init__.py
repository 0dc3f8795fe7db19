"""Golden values at the servers that take them: written when hosts show them, and read back."""
