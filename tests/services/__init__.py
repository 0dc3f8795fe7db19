"""The product with the databases and brokers of a grown-up installation: PostgreSQL, RabbitMQ, Redis."""
