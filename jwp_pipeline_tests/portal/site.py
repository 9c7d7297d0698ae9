"""The example portal over HTTP, on a site whose edits are pushed and whose listings are read when a test says so."""

import html
import json
import re
import threading
from contextlib import contextmanager

import requests
import uvicorn

from examples.portal.app import application
from examples.portal.pages import Visitor
from jwp_pipeline.record import attach_settings
from jwp_pipeline_tests.support import channel, rows, video, wait_until

KEY, PRIVATE = "public01", "private1"
EDITOR, ADMINISTRATOR, STRANGER, ANONYMOUS = "ed12", "ad001", "zz999", ""
OTHER_USERS = (STRANGER, ANONYMOUS)
MODIFIED = {"updated": 1_700_000_000}
OWN_CHANNEL = "ownChannel1"
_TIMEOUT = 30


class PortalSite:
    """The portal of a site. `jwp` is the site behind it."""

    def __init__(self, jwp, url):
        self.jwp = jwp
        self.url = url

    def item_path(self, key=KEY):
        """Return the path of the page of a video's item."""
        return f"/items/{self.jwp.item(key).id}"

    def get(self, path, user=EDITOR, **headers):
        """Return the answer to a request for a page, as `user`."""
        return requests.get(self.url + path, cookies={"portal_user": user}, headers=headers, timeout=_TIMEOUT)

    def post(self, path, form, user=EDITOR, **headers):
        """Return the answer to a form, after a redirection the page that it led to."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(self.url + path, form, cookies={"portal_user": user}, headers=headers, timeout=_TIMEOUT)

    def open_form(self, key=KEY):
        """Return the fields that a browser would send if nothing were typed in the form of an item."""
        return form_in(self.get(self.item_path(key) + "/edit").text)

    def columns(self, key=KEY):
        """Return what the form can change of an item."""
        item = self.jwp.item(key)
        return {name: getattr(item, name) for name in ("title", "description", "tags", "view_is_public", "view_crsids")}


def form_in(text):
    """Return the form of an item in a page as a browser would send it, from the texts that the form carries along."""
    carried = json.loads(html.unescape(re.search('name="opened" value="([^"]*)"', text)[1]))
    texts = {name: text.replace("\n", "\r\n") for name, text in carried.items()}
    ticked = {name: text for name, text in texts.items() if text or not name.startswith("view_is_")}
    return {**ticked, "opened": json.dumps(carried)}


@contextmanager
def portal_site(jwp):
    """Serve the portal of a site with a public item in an editor's channel, a private item, and an own channel."""
    jwp.library.replace_all(
        [
            video(KEY, acl="WORLD", title="A lecture", description="First\nSecond", **MODIFIED),
            video(PRIVATE, acl="USER_ab1", title="Secret", **MODIFIED),
        ],
        [channel("channel1", custom={"sms_created_by": f"created_by:{EDITOR}:"})],
    )
    jwp.library.set_members("channel1", [KEY])
    jwp.sync()
    jwp.execute("INSERT INTO billing_accounts (id, description, lookup_instid) VALUES ('b1', '', 'ours')")
    jwp.execute(
        "INSERT INTO media_channels (id, title, description, billing_account_id, edit_crsids)"
        f" VALUES ('{OWN_CHANNEL}', 'Our own', '', 'b1', ARRAY['{EDITOR}'])"
    )
    visitors = (
        Visitor(EDITOR, "an editor"),
        Visitor(STRANGER, "a stranger"),
        Visitor(ADMINISTRATOR, "an administrator", is_superuser=True),
    )
    settings = jwp.effective()
    with served(application(attach_settings(jwp.engine, settings), settings, visitors)) as url:
        yield PortalSite(jwp, url)


@contextmanager
def served(app):
    """Serve an ASGI application on a port of this machine, and yield its URL."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join()


def created(jwp):
    """Return the items that were made here."""
    return rows(
        jwp.engine,
        "SELECT item.*, creation.mime_type, creation.created_by, creation.state, creation.key"
        " FROM media_items AS item JOIN item_creations AS creation ON creation.media_item_id = item.id",
    )
