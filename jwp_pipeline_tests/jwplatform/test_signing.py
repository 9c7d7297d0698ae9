"""Our v1 signatures are those that JW Platform checks."""

from hypothesis import given
from hypothesis import strategies as st
from jwplatform.v1 import Client as VendorClient

from jwp_pipeline.jwplatform.signing import base_string, signature, signed_query

TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["a b~c*'():/!&=+%", "démo", "media:12:", ""]
)


def test_known_vector():
    parameters = {"text": "démo a~b*c", "search:custom.sms_media_id": "media:12:", "result_limit": 2}
    query = signed_query(parameters, key="demoKey1", secret="demoSecret", nonce="00012345", timestamp=1_600_000_000)
    assert query == (
        "api_format=json&api_key=demoKey1&api_nonce=00012345&api_timestamp=1600000000&result_limit=2"
        "&search%3Acustom.sms_media_id=media%3A12%3A&text=d%C3%A9mo%20a~b%2Ac"
        "&api_signature=1754500cd751a1711509cbf0ad030879601e74ce"
    )


@given(
    parameters=st.dictionaries(TEXT, TEXT | st.integers() | st.booleans() | st.none() | st.lists(TEXT, max_size=3)),
    secret=TEXT,
)
def test_equal_to_the_vendors_own_client(parameters, secret):
    _, theirs = VendorClient("demoKey1", secret)._build_request("/videos/list", parameters)
    expected = theirs.pop("api_signature")
    assert signature(theirs, secret) == expected
    assert expected not in base_string(theirs)
