"""Every setting of a training; `python -m training.run PRESET --FIELD VALUE` overrides any of them."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from vaead_core.scans.preprocessing import Preprocessor

Device = Literal["auto", "cpu", "cuda"]


class Settings(BaseModel):
    """Settings that do not change, and none that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Architecture(Settings):
    """The network. width and stem are not read by the simple VAE."""

    name: Literal["simple_vae", "constrained_vae", "spatial_vae"] = "constrained_vae"
    image_size: int = 96
    latent_size: int = 128
    width: int = 64
    stem: Literal["resnet", "uas"] = "resnet"

    def to_dict(self) -> dict:
        """What `models.build` takes."""
        kept = set() if self.name == "simple_vae" else {"width", "stem"}
        return self.model_dump(include={"name", "image_size", "latent_size"} | kept)


class Loss(Settings):
    """Sums over pixels and latents of one image, meaned over the batch: error + beta·KL − entropy_weight·H."""

    beta: float = Field(0.02, ge=0, description="weight of the KL term, against the summed squared error")
    background_weight: float = Field(0.1, ge=0, description="weight of a background pixel's squared error")
    entropy_weight: float = Field(0.1, ge=0, description="weight of the activation map's entropy, in nats")
    entropy_temperature: float = Field(0.1, gt=0, description="divides the activations before the softmax")
    size_weight: float = Field(0.0, ge=0, description="weight of the size constraint (0: off)")
    size_proportion: float = Field(0.01, ge=0, lt=1)
    size_sharpness: float = Field(10.0, gt=0)
    svdd_weight: float = Field(0.0, ge=0, description="weight of the latent's squared distance from the centre (0: off)")


class Augmentation(Settings):
    """Random changes of each training image; amplitudes are standard deviations."""

    flip: bool = True
    rotation_degrees: float = 4.0
    scale: float = 0.04
    shift_pixels: float = 1.0
    elastic_pixels: float = 1.0
    gamma: float = 0.1
    bias: float = 0.05
    curve: float = Field(0.0, ge=0, description="of the logarithm of the slopes of a random rising curve of intensity")
    blur_pixels: float = Field(0.0, ge=0, description="of the width of a Gaussian within the brain")
    noise: float = Field(0.0, ge=0, description="of the level of white noise, where the brain's own deviation is a third")
    coarse_noise: float = Field(
        0.0, ge=0, description="of the noise on the input alone, a patch of 6 pixels wide, which the network is to remove"
    )


class TrainingConfig(Settings):
    """One training."""

    preset: str = "quick"
    images: Literal["slices", "patches", "fashion"] = "slices"
    data: str | None = Field(None, description="folder of NIfTI scans, or synthetic[:N]; none: the synthetic cohort")
    training_subjects: int | None = Field(None, ge=1, description="train on so many of the training subjects alone")
    spacing_mm: Literal[1, 2] = 2
    background: Literal["noise", "black", "mean"] = "noise"
    averaged: bool = Field(True, description="finer scans are averaged down to the atlas grid, not sampled")
    bias: Literal["kept", "n4"] = Field("kept", description="n4: the receiver's field is taken out")
    contrast: Literal["z", "tissues"] = Field("z", description="tissues: CSF, grey and white matter get standard values")
    architecture: Architecture = Architecture()
    loss: Loss = Loss()
    augmentation: Augmentation = Augmentation()
    epochs: int = Field(60, ge=1)
    steps_per_epoch: int | None = Field(None, ge=1, description="stop an epoch early (tests, trials)")
    batch_size: int = Field(64, ge=2)
    patches_per_slice: int = Field(4, ge=1)
    learning_rate: float = Field(1e-4, gt=0)
    schedule: Literal["constant", "cosine"] = "constant"
    weight_decay: float = Field(1e-5, ge=0)
    precision: Literal["auto", "bf16-mixed", "32-true"] = Field(
        "auto", description="auto: bfloat16 where the processor computes in it, else float32 (ten times faster there)"
    )
    seed: int = Field(0, ge=0, description="of weights, order, augmentation and noise")
    split_seed: int = Field(0, ge=0, description="which subjects train, validate and test")
    device: Device = Field("auto", description="auto: an accelerator where there is one")
    compile: bool = Field(False, description="torch.compile makes the steps, which takes minutes and a C++ compiler first")
    devices: int = Field(1, ge=1, description="processes; the batch is shared among them. torchrun's are counted")
    jobs: int = Field(1, ge=1, description="processes that prepare the scans")
    dask: str | None = Field(None, description="address of a Dask scheduler whose workers prepare the scans instead")
    start_from: Path | None = Field(None, description="checkpoint of the same architecture whose weights to begin with")
    out: Path = Path("checkpoints/my-model")
    notes: str = Field("", description="goes into the model card: what was tried, why these settings")
    tensorboard: bool = False

    @property
    def preprocessor(self) -> Preprocessor:
        """How its scans become images."""
        return Preprocessor(self.spacing_mm, self.background, averaged=self.averaged, bias=self.bias, contrast=self.contrast)

    def identity(self) -> dict:
        """What two runs must share for one to go on where the other stopped."""
        shared = self.model_dump(mode="json", exclude={"out", "notes", "tensorboard", "jobs", "dask", "device", "compile"})
        if self.data and Path(self.data).is_dir():
            shared["data"] = str(Path(self.data).resolve())
        shared["start_from"] = self.start_from.name if self.start_from else None
        return shared
