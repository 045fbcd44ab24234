"""The app behind nginx, set up as deploy/nginx.conf says: who is let in, and what stays on neither disk."""

import base64
import os
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.server import served
from tests.support.waiting import PATIENCE_SECONDS, count_runs, script_over, until, wait_for_maps

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / "deploy" / "nginx.conf").read_text()
HERE = ssl.create_default_context()
HERE.check_hostname, HERE.verify_mode = False, ssl.CERT_NONE
PASSWORD = {"Authorization": f"Basic {base64.b64encode(b'reader:secret').decode()}"}


@pytest.fixture(scope="module")
def proxy(tiny_checkpoint_folder):
    """The port at which nginx serves the app by TLS, and nginx's folder."""
    with (
        tempfile.TemporaryDirectory(prefix="vaead-nginx-") as name,
        served(env=os.environ | {"VAEAD_CHECKPOINTS": str(tiny_checkpoint_folder.parent), "VAEAD_SHIPPED": "off"}) as address,
        socket.socket() as free,
    ):
        folder = Path(name)
        folder.chmod(0o755)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        certificate = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=vaead.example"]
        files = ["-keyout", str(folder / "vaead.key"), "-out", str(folder / "vaead.crt")]
        subprocess.run(["openssl", "req", *certificate, *files], check=True, capture_output=True)
        hashed = subprocess.run(["openssl", "passwd", "-6", "secret"], check=True, capture_output=True, text=True).stdout.strip()
        (folder / "vaead.htpasswd").write_text(f"reader:{hashed}\n")
        site = EXAMPLE.replace("/etc/nginx/", f"{folder}/").replace("listen 443", f"listen 127.0.0.1:{port}")
        site = site.replace("http://127.0.0.1:8501", address)
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        main = f"daemon off; pid {folder}/pid; error_log {folder}/errors; events {{}} http {{ {temporary} {site} }}"
        (folder / "nginx.conf").write_text(main)
        nginx = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE)
        try:
            _wait(port, nginx)
            yield port, folder
        finally:
            nginx.terminate()
            nginx.wait(PATIENCE_SECONDS)


def _wait(port: int, nginx: subprocess.Popen) -> None:
    for _ in range(200):
        assert nginx.poll() is None, nginx.stderr.read().decode()
        with socket.socket() as probe:
            probe.settimeout(0.05)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("nginx does not listen")


def status(port: int, path: str = "/", headers: dict | None = None, sent: bytes | None = None) -> int:
    request = urllib.request.Request(f"https://127.0.0.1:{port}{path}", sent, headers or {}, method="PUT" if sent else "GET")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS, context=HERE) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def stream(port: int, **headers: str):
    """A session of the app, as a browser opens it."""
    address = f"wss://127.0.0.1:{port}/_stcore/stream"
    return connect(address, ssl=HERE, additional_headers=PASSWORD | headers, max_size=1 << 30, proxy=None)


@pytest.mark.parametrize("path", ["/", "/checkpoints", "/_stcore/health", "/_stcore/upload_file/a/b", "/media/x"])
def test_nothing_is_shown_without_the_password(proxy, path):
    assert status(proxy[0], path) == 401


def test_with_the_password_a_page_opens_and_its_session_runs(proxy):
    port, _ = proxy
    assert status(port, headers=PASSWORD) == 200
    with stream(port, Origin=f"https://127.0.0.1:{port}") as session:
        ask = BackMsg()
        ask.rerun_script.query_string = ""
        session.send(ask.SerializeToString())
        assert session.recv(30)


def test_a_page_of_another_site_gets_no_session(proxy):
    with pytest.raises(InvalidStatus) as refused:
        stream(proxy[0], Origin="https://elsewhere.example")
    assert refused.value.response.status_code == 403


def test_an_upload_without_the_pages_own_token_is_refused(proxy):
    assert status(proxy[0], "/_stcore/upload_file/session/file", PASSWORD, b"x") in (400, 403)


def test_an_upload_beyond_the_limit_is_refused_and_none_is_written_down(proxy):
    port, folder = proxy
    assert status(port, "/_stcore/upload_file/session/file", PASSWORD, bytes(202 << 20)) == 413
    assert [path for kind in folder.iterdir() if kind.is_dir() for path in kind.rglob("*") if path.is_file()] == []


def test_one_address_has_a_bounded_number_of_connections_open(proxy):
    with ExitStack() as opened:
        for _ in range(40):
            opened.enter_context(stream(proxy[0], Origin=f"https://127.0.0.1:{proxy[0]}"))
        with pytest.raises(InvalidStatus) as refused:
            stream(proxy[0], Origin=f"https://127.0.0.1:{proxy[0]}")
    assert refused.value.response.status_code == 503


@pytest.fixture
def tab(proxy, browser):
    """A tab at the first page behind nginx, of a window of its own."""
    window = browser.browser.new_context(ignore_https_errors=True, http_credentials={"username": "reader", "password": "secret"})
    window.set_default_timeout(1000 * PATIENCE_SECONDS)
    count_runs(window)
    yield window.new_page()
    window.close()


def test_every_page_is_drawn_under_the_policy_which_stops_what_comes_from_elsewhere(proxy, tab):
    refused: list[str] = []
    tab.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
    tab.set_viewport_size({"width": 900, "height": 700})
    tab.goto(f"https://127.0.0.1:{proxy[0]}/")
    wait_for_maps(tab)
    expect(tab.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")
    tab.set_viewport_size({"width": 1280, "height": 720})
    for title in ("Toy lab", "Benchmark", "Latent space", "Checkpoints"):
        tab.get_by_role("link", name=title).click()
        expect(tab.get_by_role("heading", name=title, level=2)).to_be_visible(timeout=1000 * PATIENCE_SECONDS)
        script_over(tab)
        tab.locator(".js-plotly-plot, .viewer[data-state=drawn]").first.wait_for(state="attached")
    assert refused == []
    for fetch in ("new Image().src = '{}'", "fetch('{}').catch(() => 0)", "import('{}').catch(() => 0)"):
        tab.evaluate(f"() => {{ {fetch.format('http://127.0.0.2:9/x')} }}")
    until(lambda: len(refused) >= 3 or tab.wait_for_timeout(50))
