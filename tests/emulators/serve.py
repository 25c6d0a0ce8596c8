"""Serves one emulator on the loopback address until standard input closes: python serve.py NAME PORT.

The test that started it holds the other end of the pipe, so no emulator outlives its test.
"""

import os
import sys
import threading

name, port = sys.argv[1:]

def end_with_the_test():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_the_test, daemon=True).start()

if name == "moto":
    from moto.server import main

    main(["-H", "127.0.0.1", "-p", port])
elif name == "ministack":
    # Its own launcher listens on every interface, as its IoT and SFTP services would.
    os.environ["IOT_MTLS_ENABLED"] = "0"
    os.environ["SFTP_ENABLED"] = "0"
    os.environ["GATEWAY_PORT"] = port
    from hypercorn.__main__ import main

    main(["ministack.app:app", "-b", f"127.0.0.1:{port}", "--workers", "0"])
else:
    sys.exit(f"serve.py: no emulator {name!r}")
