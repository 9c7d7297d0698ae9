"""Sends requests to the simulator as a client does, over real HTTP and signed by JWP's own client."""

import base64
import hashlib
import hmac
import json
import time
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


def signed(sim: Simulator, path: str, expires: int | str | None = None, secret: str | None = None) -> str:
    """Return the signed URL of a path of the Delivery API, by default valid for ten minutes."""
    expires = int(time.time()) + 600 if expires is None else expires
    sig = hashlib.md5(f"{path}:{expires}:{secret or sim.api_secret}".encode()).hexdigest()
    return f"{sim.url}/{path}?exp={expires}&sig={sig}"


def token(secret: str, claims: dict[str, Any], alg: str = "HS256") -> str:
    """Return a token that is signed by HS256, whatever it says itself; "none" leaves it unsigned."""

    def part(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    text = b".".join(part(json.dumps(each).encode()) for each in ({"alg": alg, "typ": "JWT"}, claims))
    signature = b"" if alg == "none" else hmac.digest(secret.encode(), text, "sha256")
    return (text + b"." + part(signature)).decode()
