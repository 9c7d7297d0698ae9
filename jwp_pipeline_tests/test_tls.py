"""Every connection to somebody else checks the certificate of the server, before anything is sent."""

import logging
import ssl
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from jwp_pipeline.access.lookup import Lookup
from jwp_pipeline.delivery import get_sources
from jwp_pipeline.errors import DeliveryUnreachable, RequestRefused
from jwp_pipeline.jwplatform.v1 import ManagementV1
from jwp_pipeline.jwplatform.v2 import ManagementV2
from jwp_pipeline.jwplatform.writing_v2 import WritingV2
from jwp_pipeline.orchestration.automation.alerts import alert
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.settings import load_settings


def certificate(folder, *names):
    """Write a certificate that it has signed itself, with its key, and return their path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@contextmanager
def https(path):
    """Serve over TLS with a certificate. Yields the URL and the list of the requests that have come."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_PATCH = do_PUT = do_GET  # noqa: N815

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda request, address: None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reading(url):
    for client in (ManagementV1("key", "secret", origin=url), ManagementV2("key", "secret", origin=url)):
        with pytest.raises(RequestRefused, match="TLS"):
            client.probe("video")
        client.close()


def writing(url):
    client = WritingV2("key", "secret", origin=url)
    with pytest.raises(RequestRefused, match="TLS"):
        client.find_videos("media_id", "item")
    client.close()


def playing(url):
    settings = load_settings(jwplatform_api_secret="secret", jwplatform_api_base_url=url)
    with pytest.raises(DeliveryUnreachable, match="certificate was not accepted"):
        get_sources("AbCd1234", settings=settings)


def looking_up(url):
    token = {"oauth2_token_url": f"{url}/token", "oauth2_client_id": "id", "oauth2_client_secret": "secret"}
    for settings in ({}, token):
        membership = Lookup(load_settings(lookup_root=url, oauth2_max_retries=0, **settings)).membership("abc1")
        assert not membership.groups


def alerting(url):
    runtime = Runtime(settings=lambda: load_settings(jwp_alert_webhook_url=f"{url}/hook"))
    assert "could not be reached (SSLError)" in alert(runtime, "A failure")


@pytest.fixture(params=["nobody trusts", "is for another host"])
def server(request, tmp_path, monkeypatch):
    """A server whose certificate nobody trusts, or one that is trusted and for another host."""
    trusted = request.param == "is for another host"
    names = [x509.DNSName("other.example")] if trusted else [x509.IPAddress(ip_address("127.0.0.1"))]
    path = certificate(tmp_path, *names)
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    with https(path) as serving:
        yield serving


@pytest.mark.parametrize("use", [reading, writing, playing, looking_up, alerting])
def test_no_request_reaches_a_server_that_cannot_prove_who_it_is(server, use, caplog):
    caplog.set_level(logging.CRITICAL, logger="jwp_pipeline")
    url, requests = server
    use(url)
    assert requests == []


def test_a_server_whose_certificate_is_trusted_is_asked(tmp_path, monkeypatch):
    """So the test above fails for the right reason."""
    path = certificate(tmp_path, x509.IPAddress(ip_address("127.0.0.1")))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    with https(path) as (url, requests):
        runtime = Runtime(settings=lambda: load_settings(jwp_alert_webhook_url=f"{url}/hook"))
        assert "answered 200" in alert(runtime, "A failure")
    assert requests == ["/hook"]
