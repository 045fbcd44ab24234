"""Files that no page asked for, sent by somebody who speaks to the server without a browser."""

import os
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.reader import Reader
from tests.support.scans import scan_file
from tests.support.server import end, serve, wait_for
from tests.support.waiting import PATIENCE_SECONDS, until

FILE = bytes(20 << 20)


@pytest.fixture
def server(tiny_checkpoint_folder):
    """Address and number of a server's process of its own."""
    own = {"VAEAD_CHECKPOINTS": str(tiny_checkpoint_folder.parent), "VAEAD_SHIPPED": "off"}
    process, address = serve(env=os.environ | own)
    try:
        wait_for(address)
        yield address, process.pid
    finally:
        end(process)


def megabytes(process: int) -> float:
    """Of memory that a process has."""
    [line] = [line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def held(address: str) -> bool:
    """Whether the server holds any file, as it was some seconds ago."""
    with urllib.request.urlopen(f"{address}/_stcore/metrics", timeout=PATIENCE_SECONDS) as answer:
        return "UploadedFileManager" in answer.read().decode()


def taken(reader: Reader, addresses: list[str]) -> int:
    """Of files that are sent to addresses one after the other."""
    found = 0
    for address in addresses:
        try:
            reader.send(address, "x.nii", FILE)
            found += 1
        except urllib.error.HTTPError as error:
            assert error.code == 413  # noqa: PT017
            error.close()
        except urllib.error.URLError:  # the server closed the connection while the file was on its way
            continue
    return found


def test_files_that_no_page_asked_for_are_not_held_and_memory_returns(server, brain_volume):
    address, process = server
    with Reader(address) as reader:
        reader.run()
        before = megabytes(process)
        assert taken(reader, [f"/_stcore/upload_file/{reader.session}/{number}" for number in range(20)]) == 0
        asked = [one.upload_url for one in reader.addresses(*[f"{number}.nii" for number in range(20)])]
        assert taken(reader, asked) <= 2, "the page has one place for a scan, and one while it is replaced"
        assert megabytes(process) < before + 200
        until(lambda: held(address))
        until(lambda: not held(address))
        assert megabytes(process) < before + 50
        assert not reader.upload("mine.nii", scan_file(brain_volume, 1.2)).errors
        until(lambda: held(address))
        reader.open("Benchmark")
        until(lambda: not held(address))  # what the page before had asked for, at once


def test_a_session_that_drew_no_page_can_send_nothing(server):
    address, _ = server
    with Reader(address) as other, Reader(address) as reader:
        other.run()
        reader.session = other.session
        asked = [one.upload_url for one in other.addresses("a.nii")]
        assert taken(reader, asked * 2) == 1, "an address takes one file"
        with Reader(address) as third:
            given = [one.upload_url for one in third.addresses("a.nii", "b.nii")]
            assert taken(third, given) == 0
