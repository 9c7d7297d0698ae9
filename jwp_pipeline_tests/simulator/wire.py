"""Sends requests to the simulator as a client does, over real HTTP and signed by JWP's own client."""

from typing import Any

import requests
from jwplatform.v1 import Client

from jwp_pipeline.simulator import Simulator

TIMEOUT = 10


def v1_client(sim: Simulator, secret: str | None = None) -> Client:
    return Client(sim.api_key, secret or sim.api_secret, scheme="http", host="127.0.0.1", port=sim.port)


def v1_params(sim: Simulator, params: dict[str, Any]) -> dict[str, Any]:
    return v1_client(sim)._build_request("/", params)[1]


def v1(sim: Simulator, path: str, **params: Any) -> requests.Response:
    return requests.get(f"{sim.url}/v1{path}", params=v1_params(sim, params), timeout=TIMEOUT)


def v2(sim: Simulator, path: str, **params: Any) -> requests.Response:
    return requests.get(
        f"{sim.url}/v2/sites/{sim.api_key}{path}",
        params=params,
        headers={"Authorization": f"Bearer {sim.v2_secret}"},
        timeout=TIMEOUT,
    )


def v1_keys(sim: Simulator, **params: Any) -> list[str]:
    return [video["key"] for video in v1(sim, "/videos/list", **params).json()["videos"]]


def v2_ids(sim: Simulator, array: str = "media", **params: Any) -> list[str]:
    answer = v2(sim, f"/{array}/", **params)
    assert answer.status_code == 200, answer.text
    return [element["id"] for element in answer.json()[array]]


def video(key: str, **fields: Any) -> dict[str, Any]:
    """Return a v1 video with every field of a real one."""
    return {
        "key": key,
        "title": f"Video {key}",
        "description": None,
        "author": None,
        "link": None,
        "date": 1_500_000_000,
        "updated": 1_600_000_000,
        "expires_date": None,
        "tags": "a, b",
        "mediatype": "video",
        "duration": "8.06",
        "status": "ready",
        "views": 5,
        "size": "64034290",
        "md5": "00",
        "sourceformat": "mp4",
        "sourceurl": None,
        "sourcetype": "file",
        "custom": {},
        "error": None,
        "upload_session_id": None,
        **fields,
    }


def channel(key: str, **fields: Any) -> dict[str, Any]:
    """Return a v1 manual channel."""
    return {
        "key": key,
        "title": f"Channel {key}",
        "description": None,
        "link": None,
        "author": None,
        "type": "manual",
        "default": False,
        "views": 0,
        "custom": {},
        "videos": {"total": 0},
        **fields,
    }
