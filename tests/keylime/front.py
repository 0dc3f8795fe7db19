"""A proxy before the product as notices need one: TLS, and only for those whom Keylime's authority signed."""

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path


class Front:
    """Listens on a port of loopback, and passes what it hears on to another."""

    def __init__(self, port: int, to: int, folder: Path) -> None:
        """`folder`: with the verifier's own certificates."""
        self._to = to
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "cacert.crt"))
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_cert_chain(folder / "server-cert.crt", folder / "server-private.pem")
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Takes no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        """One request and its answer: Keylime makes a new connection for each notice."""
        with (
            suppress(OSError),
            self._context.wrap_socket(near, server_side=True) as caller,
            socket.create_connection(("127.0.0.1", self._to), timeout=10) as product,
        ):
            threading.Thread(target=_pass_on, args=(caller, product), daemon=True).start()
            _pass_on(product, caller)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
