"""A relay before the server, which cuts the connections of a run after so many bytes."""

import socket
import threading
from contextlib import suppress


class Relay:
    """Listens on a port of 127.0.0.1, in a `with` block, and passes everything on to `port`."""

    def __init__(self, port):
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._left = None

    @property
    def cuts(self):
        """Whether it still has to cut a connection."""
        return self._left is not None

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error):
        self._listener.close()

    def cut_after(self, octets, times=1):
        """Cut the connection over which the last of so many bytes goes, in either direction, and so on `times`."""
        with self._lock:
            self._left = octets
            self._again = [octets] * (times - 1)

    def let_through(self):
        with self._lock:
            self._left = None

    def _accept(self):
        while True:
            try:
                ours, _ = self._listener.accept()
            except OSError:
                return
            try:
                theirs = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                ours.close()
                continue
            for pair in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source, target):
        with suppress(OSError):
            while data := source.recv(65536):
                if (part := self._allowed(data)) is not None:
                    target.sendall(data[:part])
                    break
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        source.close()

    def _allowed(self, data):
        """Return how much of this may still pass before the connection is cut; None if all may."""
        with self._lock:
            if self._left is None:
                return None
            if len(data) < self._left:
                self._left -= len(data)
                return None
            part, self._left = self._left, (self._again.pop() if self._again else None)
            return part
