"""A trained model as scorers see it: what the network makes of images, whole or in patches, and the healthy reference."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vaead_core.computing.onnx_graph import Graph
from vaead_core.inference.reference import Reference
from vaead_core.inference.vae import OnnxVAE, Posterior
from vaead_core.scans.volume import Array, Slices

Memory = dict[str, Array]
_REMEMBERED = 3


@dataclass(frozen=True)
class View:
    """What the network made of its inputs, whole slices or patches.

    images, reconstruction: (N, H, W). mask: (N, H, W) bool. stages: name → (N, h, w) channel means.
    """

    images: Array
    mask: Array
    posterior: Posterior
    reconstruction: Array
    stages: dict[str, Array]

    def activation(self, stage: int) -> Array:
        """(N, H, W): the stage's channel mean, bilinearly upsampled with aligned corners."""
        return upsample(self.stages[f"stage{stage}"], self.images.shape[1])

    def __getitem__(self, rows: Array) -> View:
        """The chosen inputs, in order."""
        posterior = Posterior(self.posterior.mean[rows], self.posterior.log_variance[rows])
        stages = {name: values[rows] for name, values in self.stages.items()}
        return View(self.images[rows], self.mask[rows], posterior, self.reconstruction[rows], stages)


class Model:
    """stride: None when the network takes a whole slice; else patches of its size every `stride` pixels.

    companions: networks beside the VAE by their names in COMPANIONS; they take whole slices.
    healthy: map scorer → quantiles of its healthy pixels, as in its calibration, for scorers made of others.
    memory: map scorer → arrays that it keeps of healthy training brains.
    """

    def __init__(
        self,
        vae: OnnxVAE,
        reference: Reference | None = None,
        stride: int | None = None,
        companions: Mapping[str, Graph] | None = None,
        healthy: Mapping[str, Array] | None = None,
        memory: Mapping[str, Memory] | None = None,
    ) -> None:
        self.vae, self.stride = vae, stride
        self.companions, self.healthy, self.memory = dict(companions or {}), dict(healthy or {}), dict(memory or {})
        self._reference = reference
        self._views: OrderedDict[str, View] = OrderedDict()
        self._maps: OrderedDict[tuple[str, str], Array] = OrderedDict()

    @property
    def reference(self) -> Reference:
        """The healthy mean and deviation at each atlas position."""
        if self._reference is None:
            raise ValueError("this model has no healthy reference yet")
        return self._reference

    @property
    def nbytes(self) -> int:
        """Of its networks, memories and healthy reference."""
        places = self._reference.places.values() if self._reference else ()
        arrays = [array for memory in self.memory.values() for array in memory.values()]
        arrays += [array for place in places for array in (place.mean, place.deviation)]
        return self.vae.nbytes + sum(graph.nbytes for graph in self.companions.values()) + sum(array.nbytes for array in arrays)

    def with_reference(self, reference: Reference, healthy: Mapping[str, Array] | None = None) -> Model:
        """The same network against another healthy reference; what it saw is shared."""
        other = Model(self.vae, reference, self.stride, self.companions, healthy, self.memory)
        other._views = self._views
        return other

    def with_healthy(self, healthy: Mapping[str, Array]) -> Model:
        """The same against the same reference, other scorers' healthy pixels being `healthy`; what it saw is shared."""
        other = self.with_reference(self.reference, healthy)
        other._maps = self._maps
        return other

    def forget(self) -> None:
        """Drops what it saw last."""
        self._views.clear()
        self._maps.clear()

    def map(self, slices: Slices, of: Callable[[View], Array]) -> Array:
        """(N, H, W) float32: `of(view)` (one value a pixel); over patches, the mean of the windows that cover a pixel."""
        view = self._view(slices)
        values = of(view).astype(np.float32)
        if self.stride is None:
            return values
        corners = _kept(slices, self.vae.image_size, self.stride)
        return _recombine(values, corners, slices.pixels.shape)

    def value(self, slices: Slices, of: Callable[[View], Array]) -> Array:
        """(N,) float32: `of(view)` (one value an input); over patches, the mean of a slice's windows."""
        values = of(self._view(slices)).astype(np.float32)
        if self.stride is None:
            return values
        image = _kept(slices, self.vae.image_size, self.stride)[:, 0]
        count = np.bincount(image, minlength=len(slices))
        return (np.bincount(image, values, len(slices)) / np.maximum(count, 1)).astype(np.float32)

    def latents(self, slices: Slices) -> Array:
        """(N, L) posterior means; over patches, the mean of a slice's windows."""
        mean = self._view(slices).posterior.mean
        if self.stride is None:
            return mean
        image = _kept(slices, self.vae.image_size, self.stride)[:, 0]
        total = np.zeros((len(slices), mean.shape[1]))
        np.add.at(total, image, mean)
        return (total / np.maximum(np.bincount(image, minlength=len(slices)), 1)[:, None]).astype(np.float32)

    def companion_map(self, name: str, slices: Slices, planes: Callable[[], Array]) -> Array:
        """(N, H, W) output of a companion network for `planes()`, which follow from `slices`; the last few are kept."""
        key = (name, slices.digest)
        found = self._maps.pop(key, None)
        found = self.companions[name].run(planes(), ("map",))[0][:, 0] if found is None else found
        self._maps[key] = found
        while len(self._maps) > _REMEMBERED:
            self._maps.popitem(last=False)
        return found

    def subset(self, slices: Slices, chosen: Array) -> Slices:
        """`slices[chosen]`, chosen (N,) bool, already seen: the network is run on the whole of `slices` at most once."""
        subset, view = slices[chosen], self._view(slices)
        inputs = chosen if self.stride is None else chosen[_kept(slices, self.vae.image_size, self.stride)[:, 0]]
        self._remember(subset, view[inputs])
        return subset

    def _view(self, slices: Slices) -> View:
        """What the network makes of `slices`; the last few are kept, by content."""
        view = self._views.get(slices.digest)
        if view is None:
            images, mask = slices.pixels, slices.mask
            if self.stride is not None:
                images, mask = _windows(slices, self.vae.image_size, self.stride)
            posterior, stages = self.vae.encode(images)
            view = View(images, mask, posterior, self.vae.decode(posterior.mean), stages)
        self._remember(slices, view)
        return view

    def _remember(self, slices: Slices, view: View) -> None:
        self._views.pop(slices.digest, None)
        self._views[slices.digest] = view
        while len(self._views) > _REMEMBERED:
            self._views.popitem(last=False)


def upsample(maps: Array, size: int) -> Array:
    """(N, h, w) to (N, size, size), bilinear, corners aligned; float32."""
    rows, columns = _weights(maps.shape[1], size), _weights(maps.shape[2], size)
    return np.einsum("yh,nhw,xw->nyx", rows, maps, columns, optimize=True).astype(np.float32)


@lru_cache(maxsize=32)
def _weights(length: int, size: int) -> Array:
    at = np.linspace(0, length - 1, size)
    low = np.minimum(at.astype(int), max(length - 2, 0))
    weights = np.zeros((size, length), np.float32)
    weights[np.arange(size), low] = 1 - (at - low)
    weights[np.arange(size), np.minimum(low + 1, length - 1)] += at - low
    return weights


def _kept(slices: Slices, size: int, stride: int) -> Array:
    """(P, 3) image, top, left of every window that holds brain, in order."""
    _, height, width = slices.pixels.shape
    tops, lefts = range(0, height - size + 1, stride), range(0, width - size + 1, stride)
    windows = np.lib.stride_tricks.sliding_window_view(slices.mask, (size, size), axis=(1, 2))[:, ::stride, ::stride]
    image, row, column = np.nonzero(windows.any(axis=(3, 4)))
    return np.stack([image, np.array(tops)[row], np.array(lefts)[column]], 1)


def _windows(slices: Slices, size: int, stride: int) -> tuple[Array, Array]:
    image, top, left = _kept(slices, size, stride).T
    cut = np.lib.stride_tricks.sliding_window_view
    pixels = cut(slices.pixels, (size, size), axis=(1, 2))[image, top, left]
    return pixels, cut(slices.mask, (size, size), axis=(1, 2))[image, top, left]


def _recombine(values: Array, corners: Array, shape: tuple) -> Array:
    total, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    size = values.shape[1]
    for (image, top, left), window in zip(corners, values, strict=True):
        total[image, top : top + size, left : left + size] += window
        count[image, top : top + size, left : left + size] += 1
    return total / np.maximum(count, 1)
