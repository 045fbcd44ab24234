import gzip
import hashlib
import http.server
import threading

import numpy as np
import pytest

from vaead_core.cohorts import fashion_mnist
from vaead_core.errors import CohortError

CONTENT = gzip.compress(np.random.default_rng(1).bytes(20_000))
MD5 = hashlib.md5(CONTENT).hexdigest()


class _CutOnce(http.server.BaseHTTPRequestHandler):
    """Promises the whole file, sends half of it the first time, then answers Range requests."""

    def do_GET(self):
        start = self.headers.get("Range")
        begin = int(start.removeprefix("bytes=").removesuffix("-")) if start else 0
        end = len(CONTENT) if start else len(CONTENT) // 2
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - begin))
        self.end_headers()
        self.wfile.write(CONTENT[begin:end])

    def log_message(self, *_):
        pass


@pytest.fixture
def address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _CutOnce)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_connection_lost_midway_keeps_what_came_and_goes_on_from_there(address, tmp_path):
    with pytest.raises(CohortError, match="was cut off; start it again"):
        fashion_mnist.fetch("file.gz", MD5, tmp_path, address)
    assert (tmp_path / "file.gz.part").read_bytes() == CONTENT[: len(CONTENT) // 2]
    assert fashion_mnist.fetch("file.gz", MD5, tmp_path, address).read_bytes() == CONTENT


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(address, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CohortError, match="could not be downloaded"):
        fashion_mnist.fetch("file.gz", MD5, tmp_path / "file" / "below", address)


@pytest.mark.parametrize("header", [b"\0\0\x0d\x01\0\0\0\x02", b"\1\0\x08\x01\0\0\0\x02", b"\0\0\x08\x01\0\0\0\x03"])
def test_an_idx_file_of_another_type_magic_or_size_is_refused(tmp_path, header):
    path = tmp_path / "labels.gz"
    path.write_bytes(gzip.compress(header + b"\1\2"))
    with pytest.raises(CohortError, match="not a Fashion-MNIST idx file"):
        fashion_mnist._idx(path)


def test_rescaling_agrees_with_bilinear_interpolation_written_out():
    image = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    at = np.clip((np.arange(32) + 0.5) * 28 / 32 - 0.5, 0, 27)
    weights = np.maximum(1 - np.abs(at[:, None] - np.arange(28)), 0)
    expected = weights @ image @ weights.T / 127.5 - 1
    np.testing.assert_allclose(fashion_mnist.to_slices(image[None]).pixels[0], expected, atol=1e-5)
