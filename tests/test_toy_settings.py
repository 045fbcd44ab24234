from dataclasses import dataclass, fields
from typing import ClassVar, Literal

import pytest

from vaead_core.anomalies import toys
from vaead_core.anomalies.toys.random_shape import MultipleShapes, RandomShape
from vaead_core.anomalies.toys.settings import settings_of, size_of
from vaead_core.anomalies.toys.tumour import Tumour
from vaead_core.errors import InputError


@dataclass(frozen=True)
class Invented:
    """A toy of other field types."""

    edge_mm: float = 6.0
    dark: bool = True
    side: Literal["left", "right"] = "right"
    title: ClassVar[str] = "Invented"


@pytest.mark.parametrize("name", sorted(toys.TOYS))
def test_a_toy_can_be_built_from_the_ends_of_each_of_its_settings(name):
    settings = settings_of(toys.TOYS[name])
    assert [one.name for one in settings] == [field.name for field in fields(toys.TOYS[name])]
    for one in settings:
        for number in (one.low, one.high):
            value = (number,) * len(one.default) if one.several else number
            assert getattr(toys.build(name, **{one.name: value}), one.name) == value


def test_lengths_reach_from_0_to_four_times_their_default_and_intensities_from_minus_1_to_1():
    settings = {one.name: one for one in settings_of(RandomShape)}
    assert (settings["size_mm"].low, settings["size_mm"].high) == (0, 40)
    assert (settings["intensity"].low, settings["intensity"].high) == (-1, 1)


def test_no_size_is_offered_below_a_voxel_but_an_edge_may_be_sharp():
    settings = {one.name: one.low for one in settings_of(Tumour, 1.5)}
    assert settings == {"radius_mm": 2, "ring_mm": 0, "core": -1, "rim": -1, "blur_mm": 0, "length_mm": 2}


def test_the_size_is_the_first_length_across_a_slice():
    assert [size_of(toys.TOYS[name]).name for name in ("circle", "tumour", "multiple_shapes")] == [
        "radius_mm",
        "radius_mm",
        "sizes_mm",
    ]


def test_metadata_narrows_a_range():
    irregularity = next(one for one in settings_of(RandomShape) if one.name == "irregularity")
    assert irregularity.low == 0, "a spread below 0 has no meaning"


def test_labels_name_the_unit():
    assert [one.label for one in settings_of(Invented)] == ["Edge, mm", "Dark", "Side"]


def test_a_bool_and_a_literal_are_choices():
    assert [one.choices for one in settings_of(Invented)] == [(), (False, True), ("left", "right")]


def test_several_numbers_are_read_from_the_text_they_are_shown_as():
    sizes = settings_of(MultipleShapes)[0]
    assert sizes.numbers(sizes.text((5.0, 12.5))) == (5.0, 12.5)


@pytest.mark.parametrize("text", ["", "ten", "5; 10", "5, 400", "-1, 5", "nan"])
def test_other_text_is_refused_with_the_rule_and_an_example(text):
    sizes = settings_of(MultipleShapes)[0]
    with pytest.raises(InputError, match="Sizes, mm takes numbers from 0 to 40 with commas between them"):
        sizes.numbers(text)


def test_sizes_without_their_intensities_are_refused():
    with pytest.raises(InputError, match="one intensity for each size; found 3 sizes and 2 intensities"):
        MultipleShapes((5.0, 5.0, 5.0))
