"""Nobody but whoever holds the link of this start may read or write, and nothing on a page may run that is not ours."""

import json
import re
import shutil
import ssl
import subprocess
from hashlib import sha256

import httpx2
import pytest

from safelight.errors import UsageError
from safelight.review import Opening, door_of
from safelight.review.given import HERE
from safelight.review.security import COOKIE, POLICY
from tests.review.conftest import ORIGIN, TOKEN

NOBODY = {"Authorization": ""}


def test_without_the_key_nothing_is_shown(app):
    for path in (
        "/",
        "/help",
        "/api/shoots",
        f"/api/shoots/{app.shoot}/photos",
        "/static/css/base.css",
        "/api/openapi.json",
    ):
        answer = app.client.get(path, headers=NOBODY)
        assert answer.status_code == 401, path
        assert "safelight review" in answer.text
    wrong = app.client.get("/api/shoots", headers={"Authorization": f"Bearer {TOKEN}x"})
    assert wrong.status_code == 401


def test_the_link_makes_a_cookie_and_leaves_the_key_out_of_the_address(app):
    answer = app.client.get(f"/help?token={TOKEN}&more=1", headers=NOBODY, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/help?more=1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert app.client.get("/help", headers=NOBODY).status_code == 200


def test_a_request_under_another_name_is_refused(app):
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8421", "", "[::1"):
        assert app.client.get("/api/shoots", headers={"Host": host}).status_code == 421, host
    for host in ("localhost:8421", "127.0.0.1:8421", "[::1]:8421", "LOCALHOST:8421"):
        assert app.client.get("/api/shoots", headers={"Host": host}).status_code == 200, host


def test_another_sites_page_cannot_write_with_our_cookie(app):
    photo = app.photos()["IMG_0000.JPG"]["id"]
    address = f"/api/shoots/{app.shoot}/choices"
    app.client.cookies.set(COOKIE, TOKEN)
    for headers, status in (
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost:9999"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": ORIGIN}, 200),
    ):
        answer = app.client.post(address, json={"keep": [photo]}, headers={**NOBODY, **headers})
        assert answer.status_code == status, headers


def test_every_answer_forbids_what_is_not_ours(app):
    for path, headers in (("/help", {}), ("/help", NOBODY), ("/nothing", {}), (f"/api/shoots/{app.shoot}/photos", {})):
        answer = app.client.get(path, headers=headers)
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in POLICY
    assert "default-src 'none'" in POLICY


def test_pages_hold_no_inline_script_style_or_handler():
    for path in sorted((HERE / "templates").glob("*.html")):
        text = path.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path.name
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), path.name
        assert not re.search(r"(src|href)=\"(https?:)?//", text), path.name


def test_no_path_leads_out(app):
    for path in (
        "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2f..%2fapp.py",
        "/static/css/../../templates/base.html",
        f"/shoots/{app.shoot}/photos/../../../etc/passwd/thumb.jpg", f"/shoots/{app.shoot}/photos/%2e%2e%2fx/thumb.jpg",
        f"/shoots/..%2f..%2f/photos/{'a' * 64}/thumb.jpg",
    ):  # fmt: skip
        answer = app.client.get(path)
        assert answer.status_code >= 400, path
        assert "def create_app" not in answer.text


def test_other_machines_are_let_in_with_tls_only(tmp_path):
    with pytest.raises(UsageError, match="other machines"):
        door_of(Opening(name="Ada", host="0.0.0.0"))  # noqa: S104 - that it is refused is what is tested
    bad = tmp_path / "no.pem"
    bad.write_text("nothing")
    with pytest.raises(UsageError, match="cannot be used"):
        door_of(Opening(name="Ada", host="studio.local", certificate=bad, key=bad))
    with pytest.raises(UsageError, match="too short"):
        door_of(Opening(name="Ada", token="short"))  # noqa: S106
    assert len(door_of(Opening(name="Ada")).token) >= 32
    assert door_of(Opening(name="Ada")).token != door_of(Opening(name="Ada")).token


def test_another_machine_comes_in_by_tls_with_the_key_under_the_right_name(tmp_path):
    """A real start for other machines: encrypted, and shut to whoever lacks the key or names another host."""
    from bench._browser import TOKEN as KEY
    from bench._browser import Server

    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate, and is not installed")
    certificate, key = tmp_path / "studio.pem", tmp_path / "studio.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.2",
         "-addext", "subjectAltName=IP:127.0.0.2", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    more = ("--certificate", str(certificate), "--key", str(key))
    server = Server(None, tmp_path / "library", host="127.0.0.2", more=more)
    server.start()
    try:
        address = f"https://127.0.0.2:{server.port}/api/shoots"
        trusted = ssl.create_default_context(cafile=certificate)
        bearer = {"Authorization": f"Bearer {KEY}"}
        with httpx2.Client(verify=trusted) as client:
            assert client.get(address, headers=bearer).json() == []
            assert client.get(address).status_code in (401, 403)
            assert client.get(address, headers=bearer | {"Host": "evil.example"}).status_code in (400, 403, 421)
            opened = client.get(f"https://127.0.0.2:{server.port}/?token={KEY}")
            assert "secure" in opened.headers["set-cookie"].lower()
        with pytest.raises(httpx2.HTTPError):
            httpx2.get(address.replace("https", "http"), headers=bearer)
    finally:
        server.kill()


def test_lit_is_what_was_brought_in():
    place = HERE / "static/js/vendor"
    pins = json.loads((place / "pins.json").read_text())["sha256"]
    there = {str(p.relative_to(place)) for p in (place / "lit").rglob("*") if p.is_file()}
    assert there == set(pins)
    for name, digest in pins.items():
        assert sha256((place / name).read_bytes()).hexdigest() == digest, name
    assert (
        "BSD 3-Clause" in (place / "lit/LICENSE").read_text() or "Redistribution" in (place / "lit/LICENSE").read_text()
    )


def test_our_own_client_code_stays_small():
    lines = sum(
        len(path.read_text("utf-8").splitlines())
        for path in (HERE / "static/js").rglob("*.js")
        if "vendor" not in path.parts
    )
    assert lines < 8000
