"""Networks that nobody vouches for: the same values as in this process, within bounds, and ended with whoever wanted them."""

import gc
import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.support.hostile import ENDLESS, HUNGRY, hostile, workers
from tests.support.waiting import PATIENCE_SECONDS, until
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.computing import apart, frames
from vaead_core.computing.apart import Apart
from vaead_core.computing.onnx_graph import OnnxGraph
from vaead_core.errors import CheckpointError
from vaead_core.inference.vae import GRAPHS, STAGES, OnnxVAE

ROOT = Path(__file__).resolve().parents[1]
IMAGES = np.random.default_rng(0).uniform(-1, 1, (19, 96, 96)).astype(np.float32)


@pytest.fixture(autouse=True)
def none_is_left():
    let_go()  # of a file before this one
    yield
    let_go()


def let_go() -> None:
    """Returns when no worker is left."""
    if workers(os.getpid()):
        gc.collect()  # a cycle, or a failed test's traceback, holds one
    until(lambda: not workers(os.getpid()))


def network(folder: Path, opener: Apart) -> OnnxVAE:
    encoder, decoder = ((folder / name).read_bytes() for name in GRAPHS)
    return OnnxVAE(encoder, decoder, opener.graph)


def graph(*nodes, shape=("batch", 4), **more) -> bytes:
    given, found = (helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in ("given", "found"))
    made = helper.make_graph(nodes, "graph", [given], [found], **more)
    return helper.make_model(made, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


def test_values_are_those_of_this_process_to_the_bit(tiny_checkpoint_folder):
    there, here = Checkpoint.load(tiny_checkpoint_folder, Apart("tiny").graph), Checkpoint.load(tiny_checkpoint_folder)
    assert len(workers(os.getpid())) == 1
    assert there.model.nbytes == here.model.nbytes
    (posterior, stages), (own, own_stages) = (one.model.vae.encode(IMAGES) for one in (there, here))
    assert np.array_equal(posterior.mean, own.mean)
    assert np.array_equal(posterior.log_variance, own.log_variance)
    assert all(np.array_equal(stages[name], own_stages[name]) for name in STAGES)
    features = there.model.vae.features(IMAGES, STAGES[:2])
    assert all(np.array_equal(features[name], one) for name, one in here.model.vae.features(IMAGES, STAGES[:2]).items())
    assert np.array_equal(there.model.vae.decode(own.mean), here.model.vae.decode(own.mean))
    assert there.model.vae.has_gradient == here.model.vae.has_gradient


def test_an_endless_run_ends_at_its_deadline_and_the_network_is_not_run_again(few_checkpoint_folder, tmp_path, monkeypatch):
    folder = hostile(few_checkpoint_folder, tmp_path / "endless", ENDLESS)
    vae = network(folder, Apart("endless"))
    vae.encode(IMAGES[:1])
    monkeypatch.setattr(apart, "FIRST_SECONDS", 1.0)
    monkeypatch.setattr(apart, "SECONDS_AN_INPUT", 0.0)
    began = time.monotonic()
    with pytest.raises(CheckpointError, match=r"network of endless took longer than 1 s.* choose another checkpoint"):
        vae.encode(IMAGES)
    assert 1 <= time.monotonic() - began < 3
    assert not workers(os.getpid())
    monkeypatch.setattr(apart, "_Worker", None)  # none is begun
    with pytest.raises(CheckpointError, match="took longer"):
        vae.decode(np.zeros((1, vae.latent_size), np.float32))
    assert not workers(os.getpid())


def test_a_run_that_asks_for_all_memory_is_refused(few_checkpoint_folder, tmp_path):
    folder = hostile(few_checkpoint_folder, tmp_path / "hungry", HUNGRY)
    vae = network(folder, Apart("hungry"))
    vae.encode(IMAGES[:1])
    with pytest.raises(CheckpointError, match="network of hungry asked for more memory"):
        vae.encode(IMAGES)


def test_the_bounds_of_a_worker_are_its_systems(few_checkpoint_folder):
    vae = network(few_checkpoint_folder, Apart("tiny"))
    [worker] = workers(os.getpid())
    limits = {line[:25].strip(): line[25:].split()[0] for line in Path(f"/proc/{worker}/limits").read_text().splitlines()}
    assert apart.MEMORY_BYTES < int(limits["Max address space"]) < 3 * apart.MEMORY_BYTES
    assert limits["Max core file size"] == limits["Max file size"] == "0"
    assert Path(f"/proc/{worker}/oom_score_adj").read_text().strip() == "1000"
    assert vae.latent_size


def test_whoever_leaves_ends_the_work_and_finds_it_again(few_checkpoint_folder, tmp_path):
    class Left(BaseException):
        pass

    def leave():
        if leaves:
            raise Left

    leaves = []
    folder = hostile(few_checkpoint_folder, tmp_path / "endless", ENDLESS)
    vae = network(folder, Apart("endless", leave))
    before = vae.encode(IMAGES[:1])[0].mean
    leaves.append(True)
    with pytest.raises(Left):
        vae.encode(IMAGES)
    assert not workers(os.getpid())
    leaves.clear()
    assert np.array_equal(vae.encode(IMAGES[:1])[0].mean, before)


def test_closing_frees_whoever_waits_for_it(few_checkpoint_folder, tmp_path):
    opener, said = Apart("endless"), []
    vae = network(hostile(few_checkpoint_folder, tmp_path / "endless", ENDLESS), opener)

    def wait():
        try:
            vae.encode(IMAGES)
        except CheckpointError as error:
            said.append(str(error))

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.5)
    assert waiting.is_alive()
    opener.close()
    waiting.join(PATIENCE_SECONDS)
    assert said == ["The checkpoint endless was closed; choose another, or upload it again."]
    with pytest.raises(CheckpointError, match="was closed"):
        vae.encode(IMAGES[:1])


def test_those_that_rested_longest_make_room(few_checkpoint_folder, monkeypatch):
    monkeypatch.setattr(apart, "MOST_ALIVE", 2)
    all_of_them = [network(few_checkpoint_folder, Apart(f"number {n}")) for n in range(4)]
    found = [vae.encode(IMAGES[:2])[0].mean for vae in all_of_them]
    assert len(workers(os.getpid())) == 2
    assert all(np.array_equal(one, found[0]) for one in found)


def test_a_worker_ends_with_a_process_that_is_killed(few_checkpoint_folder, tmp_path):
    folder = hostile(few_checkpoint_folder, tmp_path / "endless", ENDLESS)
    code = f"""
import numpy as np
from pathlib import Path
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.computing.apart import Apart
opener = Apart("endless")
vae = Checkpoint.load({str(folder)!r}, opener.graph).model.vae
print(opener._worker._process.pid, flush=True)
vae.encode(np.zeros((19, 96, 96), np.float32))
"""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    worker = Path("/proc") / process.stdout.readline().strip()
    time.sleep(0.5)
    assert worker.exists()
    process.kill()
    process.communicate()
    until(lambda: not worker.exists() or ") Z " in (worker / "stat").read_text())


@pytest.mark.parametrize(
    "content",
    [
        b"noise",
        graph(helper.make_node("Add", ["given", "missing"], ["found"])),
        graph(helper.make_node("Relu", ["given"], ["found"]), shape=("batch", "any")),
        graph(helper.make_node("Relu", ["given"], ["found"]), shape=("batch", 0)),
    ],
    ids=["noise", "an input that nothing makes", "any shape", "nothing"],
)
def test_a_graph_that_cannot_be_opened_is_one_sentence(content):
    with pytest.raises(
        CheckpointError, match=r"^The network of mine does not run; copy the checkpoint again, or choose another\.$"
    ):
        Apart("mine").graph(content)


DOUBLED = helper.make_node("Concat", ["given", "given"], ["doubled"], axis=1)
COUNTED = [helper.make_node("Shape", ["given"], ["shape"]), helper.make_node("Gather", ["shape", "zero"], ["count"])]


@pytest.mark.parametrize(
    "nodes",
    [
        [helper.make_node("Concat", ["given", "given"], ["found"], axis=0)],
        [  # eight columns, which nobody can tell before it runs
            *(DOUBLED, *COUNTED, helper.make_node("Div", ["count", "count"], ["one"])),
            *(
                helper.make_node("Mul", ["one", "eight"], ["columns"]),
                helper.make_node("Concat", ["count", "columns"], ["to"], axis=0),
            ),
            helper.make_node("Reshape", ["doubled", "to"], ["found"]),
        ],
    ],
    ids=["more inputs", "another shape"],
)
def test_an_answer_of_another_shape_than_was_told_is_refused(nodes):
    numbers = [helper.make_tensor(name, TensorProto.INT64, [1], [value]) for name, value in (("zero", 0), ("eight", 8))]
    opened = Apart("mine").graph(graph(*nodes, initializer=numbers))
    with pytest.raises(CheckpointError, match="does not run"):
        opened.run(np.zeros((3, 4), np.float32), ("found",))


def test_an_output_that_a_graph_does_not_have_is_refused():
    opened = Apart("mine").graph(graph(helper.make_node("Relu", ["given"], ["found"])))
    assert opened.outputs == ("found",)
    with pytest.raises(CheckpointError, match="does not run"):
        opened.run(np.zeros((3, 4), np.float32), ("other",))


def test_messages_come_as_they_were_sent():
    pipe = io.BytesIO()
    sent = [IMAGES, np.arange(5, dtype=np.uint8), np.zeros((0, 3), np.float32)]
    frames.write(pipe, {"does": "run"}, sent)
    pipe.seek(0)
    said, found = frames.read(pipe, IMAGES.nbytes + 5)
    assert said == {"does": "run"}
    assert all(one.dtype == other.dtype and np.array_equal(one, other) for one, other in zip(sent, found, strict=True))
    with pytest.raises(EOFError):
        frames.read(pipe, 1)


@pytest.mark.parametrize(
    "content",
    [
        b"\n", b"[]\n", b"{}\n", b"{\n", b"[" * 60_000 + b"\n", b"x" * (2 * frames.HEAD_BYTES), b'{"arrays": 3}\n',
        b'{"arrays": [3]}\n', b'{"arrays": [[]]}\n', b'{"arrays": [["object", 1]]}\n', b'{"arrays": [["float32", -1]]}\n',
        b'{"arrays": [["float32", 1e3]]}\n', b'{"arrays": [["float32", true]]}\n', b'{"arrays": [["float32", 4000000000]]}\n',
        b'{"arrays": [["float32", 1, 1, 1, 1, 1, 1]]}\n', b'{"arrays": [["float32", %s]]}\n' % (b"9" * 4000),
        b'{"arrays": [["uint8", 200], ["uint8", 200]]}\n',
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused_before_anything_is_held(content):
    with pytest.raises(ValueError, match=r"."):
        frames.read(io.BytesIO(content), 300)


def test_a_message_that_breaks_off_is_no_message():
    with pytest.raises(EOFError):
        frames.read(io.BytesIO(b'{"arrays": [["uint8", 200]]}\nshort'), 300)


def test_time_is_in_proportion_to_the_inputs_within_a_bound():
    assert [apart.seconds_for(count) for count in (0, 78, 10_000)] == [10.0, 29.5, 120.0]


def test_one_graph_here_is_the_same_kind_of_thing():
    content = graph(helper.make_node("Relu", ["given"], ["found"]))
    here, there = OnnxGraph(content), Apart("mine").graph(content)
    assert (here.input_shape, here.outputs, here.nbytes) == (there.input_shape, there.outputs, there.nbytes)
