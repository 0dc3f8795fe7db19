"""What pages and verbs read. Nothing here writes."""
