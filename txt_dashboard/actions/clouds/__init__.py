"""What workers do at connected clouds, and what people decide about it."""
