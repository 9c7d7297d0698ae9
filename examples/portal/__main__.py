"""`python -m examples.portal` serves the portal on 127.0.0.1, for the site that the environment configures."""

import argparse

import uvicorn


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m examples.portal", description=__doc__)
    parser.add_argument("--port", type=int, default=3001, help="port of 127.0.0.1 to listen on (default: 3001)")
    port = parser.parse_args().port
    print(f"The portal is at http://127.0.0.1:{port}. Ctrl-C stops it.", flush=True)
    uvicorn.run("examples.portal.app:create_app", factory=True, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
