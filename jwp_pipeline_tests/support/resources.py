"""Complete resources of JW Platform to put into a library. A test gives what matters to it, the rest has defaults."""


def video(key, sms_media_id=None, *, acl=None, custom=None, **fields):
    """Return a v1 video with every field of a real one.

    Its date is derived from its key, so that a listing by date has a definite order. `acl` is given without `acl:` and
    the last colon, and `custom` as it is sent.
    """
    number = sum(ord(letter) << 8 * place for place, letter in enumerate(reversed(key[-3:])))
    properties = dict(custom or {})
    if sms_media_id is not None:
        properties["sms_media_id"] = f"media:{sms_media_id}:"
    if acl is not None:
        properties["sms_acl"] = f"acl:{acl}:"
    return {
        "key": key,
        "title": f"Video {key}",
        "description": None,
        "author": None,
        "link": None,
        "date": 1_000_000_000 + number,
        "updated": 1,
        "expires_date": None,
        "tags": None,
        "mediatype": "video",
        "duration": "8.06",
        "status": "ready",
        "views": 0,
        "size": "64034290",
        "md5": "00",
        "sourceformat": "mp4",
        "sourceurl": None,
        "sourcetype": "file",
        "error": None,
        "upload_session_id": None,
        **fields,
        "custom": properties,
    }


def videos(*numbers, **fields):
    """Return a video for each number, with keys such as v0007."""
    return [video(f"v{number:04}", **fields) for number in numbers]


def channel(key, sms_collection_id=None, *, media_ids=None, custom=None, **fields):
    """Return a v1 manual channel. `media_ids` are the SMS ids of its items."""
    properties = dict(custom or {})
    if sms_collection_id is not None:
        properties["sms_collection_id"] = f"collection:{sms_collection_id}:"
    if media_ids is not None:
        properties["sms_collection_media_ids"] = f"collection_media_ids:{','.join(map(str, media_ids))}:"
    return {
        "key": key,
        "title": f"Channel {key}",
        "description": None,
        "link": None,
        "author": None,
        "type": "manual",
        "default": False,
        "views": 0,
        "videos": {"total": 0},
        **fields,
        "custom": properties,
    }


def of_v2(key, metadata, *, last_modified="2030-01-01T00:00:00+00:00", **fields):
    """Return a resource as v2 sends it, by default newer than any other. `metadata` may be of any shape."""
    return {"id": key, "last_modified": last_modified, "metadata": metadata, **fields}
