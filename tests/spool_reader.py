"""One reader of a spool, as a process of its own: writes down the number in each message that it gets."""

import sys

from kombu import Connection, Consumer, Queue

from txt_dashboard.spool import Transport


def main(folder: str) -> None:
    """Reads until nothing has come for a second."""
    options = {"folder": folder, "polling_interval": 0.01}

    def got(body, message):
        sys.stdout.write(f"{body['number']}\n")
        sys.stdout.flush()
        message.ack()

    with (
        Connection(transport=Transport, transport_options=options) as connection,
        Consumer(connection, [Queue("ticks")], callbacks=[got]),
    ):
        while True:
            try:
                connection.drain_events(timeout=1)
            except TimeoutError:
                return


if __name__ == "__main__":
    main(sys.argv[1])
