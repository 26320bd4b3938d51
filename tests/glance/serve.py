"""Serves a WSGI application on a socket that it is handed, until the process that started it is gone.

Runs in .venv-glance.

python serve.py MODULE SOCKET THREADS, with a pipe as its standard input
"""

import importlib
import os
import socket
import sys
import threading

import waitress


def main() -> None:
    """Say "ready" on standard output once the application is loaded, and serve it."""
    module, descriptor, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    del sys.argv[1:]  # Keystone would read them as its own
    threading.Thread(target=_end_with_parent, daemon=True).start()
    application = importlib.import_module(module).application
    print("ready", flush=True)
    os.dup2(2, 1)  # nobody reads on
    waitress.serve(application, sockets=[socket.socket(fileno=descriptor)], threads=threads)


def _end_with_parent() -> None:
    # Whenever the parent ends, the pipe closes.
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    main()
