"""The inference protocol: the same values whatever the threads and batches, and only what is asked for."""

from functools import partial

import numpy as np
import pytest

from models import export
from vaead_core.computing.onnx_graph import OnnxGraph, has_cuda, on_device
from vaead_core.errors import InputError
from vaead_core.inference import vae
from vaead_core.inference.vae import STAGES, OnnxVAE


@pytest.fixture
def graphs(tiny_checkpoint_folder):
    return [(tiny_checkpoint_folder / name).read_bytes() for name in vae.GRAPHS]


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (19, 96, 96)).astype(np.float32)


def test_the_exporter_and_the_reader_agree_on_names():
    assert (export.GRAPHS, export.STAGES) == (vae.GRAPHS, vae.STAGES)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_values_do_not_depend_on_the_threads(graphs, images, threads):
    one, many = (OnnxVAE(*graphs, partial(OnnxGraph, threads=count)) for count in (1, threads))
    (posterior, stages), (other, other_stages) = one.encode(images), many.encode(images)
    np.testing.assert_allclose(posterior.mean, other.mean, atol=1e-5)
    np.testing.assert_allclose(stages["stage3"], other_stages["stage3"], atol=1e-5)
    np.testing.assert_allclose(one.decode(posterior.mean), many.decode(posterior.mean), atol=1e-5)


@pytest.mark.skipif(has_cuda(), reason="this ONNX Runtime computes on CUDA")
def test_an_onnx_runtime_without_cuda_says_so_where_cuda_is_asked_for(graphs):
    with pytest.raises(InputError, match="has no CUDA; install onnxruntime-gpu for it, or compute on the processor"):
        OnnxVAE(*graphs, partial(OnnxGraph, device="cuda"))
    with pytest.raises(InputError, match="has no CUDA"), on_device("cuda"):
        OnnxVAE(*graphs)
    OnnxVAE(*graphs)


@pytest.mark.skipif(not has_cuda(), reason="this ONNX Runtime has no CUDA")
def test_a_card_gives_what_the_processor_gives(graphs, images):
    here, there = OnnxVAE(*graphs), OnnxVAE(*graphs, partial(OnnxGraph, device="cuda"))
    (posterior, stages), (other, other_stages) = here.encode(images), there.encode(images)
    np.testing.assert_allclose(posterior.mean, other.mean, atol=1e-3)
    np.testing.assert_allclose(stages["stage3"], other_stages["stage3"], atol=1e-3)
    np.testing.assert_allclose(here.kl_gradient(images), there.kl_gradient(images), atol=1e-3)
    np.testing.assert_allclose(here.decode(posterior.mean), there.decode(posterior.mean), atol=1e-3)


def test_features_are_whole_stage_outputs_whose_channel_means_encode_gives(graphs, images):
    network = OnnxVAE(*graphs)
    _, means = network.encode(images)
    features = network.features(images)
    assert list(means) == list(features) == list(STAGES)
    for name in STAGES:
        assert features[name].ndim == 4
        np.testing.assert_allclose(features[name].mean(1), means[name], atol=1e-5)


def test_only_the_stages_that_are_asked_for_come_back(graphs, images):
    network = OnnxVAE(*graphs)
    assert list(network.features(images, ("stage2",))) == ["stage2"]
    posterior, means = network.encode(images, stages=())
    assert means == {}
    np.testing.assert_allclose(posterior.mean, network.encode(images)[0].mean, atol=1e-5)
