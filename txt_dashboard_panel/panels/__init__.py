"""One package a panel."""
