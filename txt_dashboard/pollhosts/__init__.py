"""What machines ask for without a session: PollHosts, and the heartbeat."""
