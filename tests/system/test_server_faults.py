"""What readers meet when the machine fails: one plain sentence, and everybody else goes on."""

import gzip
import os
import resource
import shutil
from contextlib import contextmanager
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tests.support.contents import upload_checkpoint
from tests.support.disks import begun_with, full_disk, read_only
from tests.support.reader import Reader, Run
from tests.support.scans import scan_file
from tests.support.server import serve, served, wait_for
from tests.support.waiting import PATIENCE_SECONDS, until

NOT_ENOUGH = "There is not enough memory for this; crop or resample the scan, or try again later."


@contextmanager
def followed(log: Path, **options):
    """The server's process and address; no traceback may be in its log."""
    with log.open("w") as printed:
        server, address = serve(stdout=printed, stderr=printed, **options)
        try:
            wait_for(address)
            yield server, address
        finally:
            server.terminate()
            server.wait(PATIENCE_SECONDS)
    assert "Traceback" not in log.read_text()


def drawn(run: Run) -> bool:
    """Whether maps are shown, and no error."""
    return run.errors == [] and run.viewer is not None


@pytest.fixture
def environment(checkpoints, tmp_path):
    """With a folder of its own for temporary files."""
    (tmp_path / "temporary").mkdir()
    return os.environ | {"TMPDIR": str(tmp_path / "temporary")}


def test_a_full_disk_takes_scans_and_refuses_checkpoints(environment, brain_volume, tiny_checkpoint_folder, tmp_path):
    before = full_disk(tmp_path / "temporary")
    with followed(tmp_path / "log", before=before, env=environment) as (_, address), Reader(address) as reader:
        assert drawn(reader.run())
        assert drawn(reader.upload("scan.nii", scan_file(brain_volume)))
        assert upload_checkpoint(reader, tiny_checkpoint_folder).sentences == [
            "A file could not be read or written (No space left on device); try again, or tell whoever runs this server."
        ]
        assert drawn(reader.open("Explore"))


def test_a_server_that_can_write_nowhere_takes_scans_and_refuses_checkpoints(
    environment, brain_volume, tiny_checkpoint_folder, tmp_path
):
    before = read_only("/", *(place for place in ("/tmp", "/var/tmp") if os.path.ismount(place)))
    with followed(tmp_path / "log", before=before, env=environment) as (_, address), Reader(address) as reader:
        assert drawn(reader.run())
        assert drawn(reader.upload("scan.nii", scan_file(brain_volume)))
        assert upload_checkpoint(reader, tiny_checkpoint_folder).sentences == [
            "The server has nowhere to put files of yours: its folder for temporary files is full or cannot be written to. "
            "Tell whoever runs it."
        ]
        assert drawn(reader.open("Explore"))


def test_a_checkpoint_that_is_deleted_while_in_use_is_named_and_another_shown(tiny_checkpoint_folder, tmp_path):
    folder = tmp_path / "checkpoints"
    for name in ("first", "second"):
        shutil.copytree(tiny_checkpoint_folder, folder / name)
    environment = os.environ | {"VAEAD_CHECKPOINTS": str(folder), "VAEAD_SHIPPED": "off"}
    with followed(tmp_path / "log", env=environment) as (_, address), Reader(address) as reader, Reader(address) as other:
        assert drawn(reader.run())
        assert drawn(other.run())
        shutil.rmtree(folder / "first")
        cursor = {"voxel": [40, 50, 40], "after": reader.last.viewer["after"]}
        assert drawn(reader.look(done=True, cursor=cursor)), "what is open stays open"
        assert drawn(reader.run())
        assert "The checkpoint first is no longer there; second is shown instead." in reader.last.sentences
        assert drawn(reader.run())
        assert not [sentence for sentence in reader.last.sentences if "no longer there" in sentence]
        (folder / "second" / "encoder.onnx").unlink()
        assert drawn(other.open("Toy lab")), "it was read already"
        shutil.rmtree(folder / "second")
        for page in ("Explore", "Toy lab", "Latent space"):
            assert other.open(page).errors == ["No checkpoint lies in checkpoints; train or upload one on the Checkpoints page."]
        assert other.open("Checkpoints").sentences == ["There is no checkpoint yet; upload one, or train one."]
        shutil.copytree(tiny_checkpoint_folder, folder / "first")
        assert drawn(other.open("Explore"))


def test_a_killed_server_starts_clean_and_another_ones_files_stay(environment, tiny_checkpoint_folder, tmp_path):
    def folders() -> set[str]:
        return {path.name for path in (tmp_path / "temporary").glob("vaead-session-*")}

    with served(env=environment) as address, Reader(address) as reader:
        reader.run()
        assert "tiny was checked" in upload_checkpoint(reader, tiny_checkpoint_folder).sentences[0]
        own = folders()
        killed, of_killed = serve(env=environment)
        wait_for(of_killed)
        with Reader(of_killed) as other:
            other.run()
            upload_checkpoint(other, tiny_checkpoint_folder)
            assert len(folders()) == 2
            killed.kill()
            killed.wait()
        assert len(folders()) == 2
        with served(env=environment) as again, Reader(again) as third:
            assert drawn(third.run())
            assert folders() == own
        reader.set("checkpoints_view", string_array_value={"data": ["Inspect"]})
        assert "tiny (yours)" in str(reader.run().elements)
    assert folders() == set(), "a server that ends takes its folders with it"


def test_a_clock_that_jumps_ends_no_session(checkpoints, brain_volume, tmp_path):
    ahead = tmp_path / "ahead"
    ahead.write_text("0")
    code = f"import time\nreal = time.time\ntime.time = lambda: real() + float(open({str(ahead)!r}).read() or 0)\n"
    code += "time.time_ns = lambda: int(1e9 * time.time())\n"
    environment = os.environ | begun_with(tmp_path / "begin", code)
    with followed(tmp_path / "log", env=environment) as (_, address), Reader(address) as reader:
        assert drawn(reader.run())
        assert drawn(reader.upload("scan.nii", scan_file(brain_volume)))
        own = reader.last.viewer["scan"]["digest"]
        for count, seconds in enumerate((400 * 86_400, -400 * 86_400), 1):
            ahead.write_text(str(seconds))
            with Reader(address) as other:
                assert drawn(other.run())
            assert drawn(reader.open("Toy lab"))
            assert reader.plant((30, 30, 30)).toys == count
            assert drawn(reader.open("Explore"))
            assert reader.last.viewer["scan"]["digest"] == own


@pytest.fixture(scope="module")
def large_file(brain_volume):
    """64 million voxels in 3 MB."""
    fine = (900 * brain_volume.data / brain_volume.data.max()).astype(np.int16).repeat(4, 0).repeat(4, 1).repeat(4, 2)
    image = nib.Nifti1Image(fine[..., :280], brain_volume.affine @ np.diag([0.25, 0.25, 0.25, 1]))
    return gzip.compress(image.to_bytes(), 1)


@pytest.mark.parametrize("asks_first", [True, False], ids=["foreseen", "met"])
def test_a_scan_too_large_for_the_memory_is_one_sentence_and_others_go_on(
    checkpoints, brain_volume, large_file, tmp_path, asks_first
):
    unasked = "import sys\nif 'streamlit' in ' '.join(sys.orig_argv):\n    from pages.shared.server import memory\n"
    unasked += "    memory.BYTES_A_VOXEL = memory.BYTES_A_BYTE = memory.NETWORK_BYTES = memory.LEAST_BYTES = 0\n"
    environment = os.environ | {"MALLOC_ARENA_MAX": "2"} | ({} if asks_first else begun_with(tmp_path / "begin", unasked))
    with followed(tmp_path / "log", env=environment) as (server, address), Reader(address) as reader, Reader(address) as other:
        assert drawn(reader.run())
        assert drawn(other.upload("small.nii", scan_file(brain_volume)) if other.run().viewer else other.last)
        pages = int(Path(f"/proc/{server.pid}/statm").read_text().split()[0])
        limit = pages * os.sysconf("SC_PAGE_SIZE") + (2000 << 20 if asks_first else 700 << 20)
        resource.prlimit(server.pid, resource.RLIMIT_AS, (limit, limit))
        [said] = reader.upload("large.nii.gz", large_file).errors
        assert ("GB of memory are needed" in said) if asks_first else (said == NOT_ENOUGH), said
        assert drawn(other.look(done=True))
        until(lambda: drawn(other.upload("small.nii", scan_file(brain_volume, 1.1))))  # once the large one's memory is back
        assert drawn(reader.upload("small.nii", scan_file(brain_volume, 1.2))), "and so does the session that asked too much"
        assert server.poll() is None
