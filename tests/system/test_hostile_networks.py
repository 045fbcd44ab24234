"""Checkpoints whose networks would take a server's time or memory for ever: their owner is told, and everybody else goes on."""

import os
import shutil
import signal
import time

import pytest

from tests.support.contents import upload_checkpoint
from tests.support.disks import begun_with
from tests.support.hostile import ENDLESS, HUNGRY, hostile, workers
from tests.support.reader import Reader, Run
from tests.support.scans import scan_file
from tests.support.server import serve, wait_for
from tests.support.waiting import until
from tests.system.test_server_faults import drawn, followed

SECONDS = 6  # that a run may take


@pytest.fixture
def environment(checkpoints, tmp_path):
    """Of a server that waits less long than it does elsewhere."""
    code = "import sys\nif 'streamlit' in ' '.join(sys.orig_argv):\n    from vaead_core.computing import apart\n"
    code += f"    apart.FIRST_SECONDS, apart.SECONDS_AN_INPUT = {SECONDS}, 0\n"
    return os.environ | begun_with(tmp_path / "begin", code)


def choose(reader: Reader, name: str) -> None:
    """The checkpoint on the Explore page, which is asked for and not waited for."""
    reader.set("checkpoint", string_value=name)
    reader.ask()


def taken(reader: Reader, folder) -> Run:
    """Explore, once the checkpoint was uploaded and not refused."""
    reader.run()
    assert "was checked" in upload_checkpoint(reader, folder).sentences[0]
    return reader.open("Explore")


def test_an_endless_network_is_ended_and_its_owner_told_while_others_are_served(
    environment, tiny_checkpoint_folder, brain_volume, tmp_path
):
    folder = hostile(tiny_checkpoint_folder, tmp_path / "endless", ENDLESS)
    environment |= {"OMP_NUM_THREADS": "2"}
    with followed(tmp_path / "log", env=environment) as (server, address), Reader(address) as reader, Reader(address) as other:
        assert drawn(other.run())
        assert drawn(taken(reader, folder))
        began = time.monotonic()
        choose(reader, "endless (yours)")
        assert drawn(other.upload("scan.nii", scan_file(brain_volume, 1.1)))
        [said] = reader.drawn().errors
        assert f"The network of endless took longer than {SECONDS} s" in said
        assert time.monotonic() - began < SECONDS + 30  # the scan is registered first
        assert not workers(server.pid)
        began = time.monotonic()
        assert "took longer" in reader.run().errors[0], "it is not run again"
        assert time.monotonic() - began < SECONDS
        choose(reader, "tiny")
        assert drawn(reader.drawn())


def test_a_hungry_network_is_refused_and_the_server_goes_on(environment, tiny_checkpoint_folder, brain_volume, tmp_path):
    folder = hostile(tiny_checkpoint_folder, tmp_path / "hungry", HUNGRY)
    with followed(tmp_path / "log", env=environment) as (server, address), Reader(address) as reader, Reader(address) as other:
        assert drawn(taken(reader, folder))
        choose(reader, "hungry (yours)")
        [said] = reader.drawn().errors
        assert "The network of hungry asked for more memory" in said
        assert drawn(other.run())
        assert drawn(other.upload("scan.nii", scan_file(brain_volume, 1.1)))
        assert server.poll() is None


def test_whoever_leaves_gives_back_the_turn_and_ends_the_network(checkpoints, tiny_checkpoint_folder, brain_volume, tmp_path):
    """One turn at once, and a time to run that no test waits for."""
    folder = hostile(tiny_checkpoint_folder, tmp_path / "endless", ENDLESS)
    patient = begun_with(tmp_path / "begin", "import vaead_core.computing.apart as apart\napart.FIRST_SECONDS = 1000.0\n")
    environment = os.environ | patient | {"OMP_NUM_THREADS": "1"}
    with followed(tmp_path / "log", env=environment) as (server, address), Reader(address) as other:
        assert drawn(other.run())
        with Reader(address) as reader:
            assert drawn(taken(reader, folder))
            choose(reader, "endless (yours)")
            until(lambda: busy(server.pid))
            other.put("scan.nii", scan_file(brain_volume, 1.1))
            other.ask()
            assert "yours is next" in other.told()
        until(lambda: not workers(server.pid))
        assert drawn(other.drawn())


def busy(server: int) -> bool:
    """Whether a network has run for two seconds, which none of ours does."""

    def ticks(worker: int) -> int:
        with open(f"/proc/{worker}/stat") as told:
            return sum(map(int, told.read().rpartition(")")[2].split()[11:13]))

    return any(ticks(worker) > 4 * os.sysconf("SC_CLK_TCK") for worker in workers(server))


@pytest.mark.parametrize("runs", ["an uploaded network", "a network of the server's own", "a registration"])
def test_a_server_that_is_asked_to_end_does_within_five_seconds(
    checkpoints, tiny_checkpoint_folder, brain_volume, tmp_path, runs
):
    own = tmp_path / "own"
    shutil.copytree(tiny_checkpoint_folder, own / "tiny")
    folder = hostile(tiny_checkpoint_folder, own / "z_endless" if "own" in runs else tmp_path / "endless", ENDLESS)
    server, address = serve(env=os.environ | {"VAEAD_CHECKPOINTS": str(own)})
    try:
        wait_for(address)
        with Reader(address) as reader:
            if runs == "a registration":
                assert drawn(reader.run())
                reader.put("scan.nii", scan_file(brain_volume, 1.3))
                reader.ask()
                time.sleep(1)
            else:
                assert drawn(taken(reader, folder) if folder.parent != own else reader.run())
                choose(reader, "z_endless" if folder.parent == own else "endless (yours)")
                time.sleep(15)  # until it runs, of which a server tells nothing
            children = workers(server.pid)
            assert bool(children) == (runs == "an uploaded network")
            began = time.monotonic()
            server.send_signal(signal.SIGTERM)
            server.wait(5)
            assert time.monotonic() - began < 5
            until(lambda: not any(os.path.exists(f"/proc/{child}") for child in children), 5)
    finally:
        server.kill()
        server.wait()
