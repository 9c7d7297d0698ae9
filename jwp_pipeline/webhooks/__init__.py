"""JW Platform's own events: received, verified and stored, so that a sync looks at just those keys (semantics §12).

`app` makes the ASGI application; receiver.py is its HTTP side, events.py decides what an event is, and store.py keeps
events until a sync has handled them. What a sync does with their keys is in mirror/looks.py.
"""

from jwp_pipeline.webhooks.receiver import app

__all__ = ["app"]
