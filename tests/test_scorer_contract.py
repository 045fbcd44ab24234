"""A wrong scorer fails when it registers, by name, and not when it misleads."""

from dataclasses import dataclass, fields
from typing import ClassVar

import pytest

from vaead_core.inference.vae import COMPANIONS
from vaead_core.scorers import SCORERS, ImageScorer, MapScorer, Needs, Scorer, lacks
from vaead_core.scorers.contract import check_members, check_scorer


class Whole(MapScorer):
    """What each case below inherits, and breaks in one place."""

    title: ClassVar[str] = "Whole"
    unit: ClassVar[str] = "one"

    def score_map(self, model, slices):
        return slices.pixels


def case(*bases: type, **attributes) -> type:
    return dataclass(frozen=True)(type("Case", bases or (Whole,), attributes))


def refused(kind: type, *words: str) -> None:
    with pytest.raises(TypeError) as caught:
        check_scorer(kind)
    assert all(word in str(caught.value) for word in ("Case", *words)), caught.value


def test_a_whole_scorer_has_every_default():
    kind = case()
    check_scorer(kind)
    assert (kind.trust, kind.signed, kind.needs) == ("", False, Needs())


def test_sigend_is_refused():
    refused(case(sigend=True), "sigend", "is signed meant?")


def test_sigend_is_refused_as_a_setting_too():
    refused(case(sigend=True, __annotations__={"sigend": bool}), "sigend", "is signed meant?")


def test_a_scorer_without_a_method_is_refused():
    refused(case(MapScorer, title="Case", unit="one"), "lacks score_map")
    refused(case(ImageScorer, title="Case", unit="one"), "lacks score,")


def test_a_misspelt_method_is_refused():
    refused(case(MapScorer, title="Case", unit="one", scoremap=Whole.score_map), "scoremap", "is score_map meant?")


def test_a_class_that_is_neither_kind_of_scorer_is_refused():
    refused(case(object, score_map=Whole.score_map), "MapScorer")
    refused(case(Scorer, title="Case", unit="one"), "ImageScorer")


def test_a_map_scorer_has_no_value_an_image():
    refused(case(score=lambda self, model, slices: 0), "score")


def test_a_scorer_without_a_unit_is_refused():
    refused(case(MapScorer, title="Case", score_map=Whole.score_map), "lacks unit")


def test_a_need_that_stands_beside_needs_is_refused():
    for need in (field.name for field in fields(Needs)):
        refused(case(**{need: True}), need, "Needs(")


def test_needs_that_are_no_needs_are_refused():
    refused(case(needs="gradient"), "needs", "'gradient'")


def test_an_unknown_need_is_refused():
    with pytest.raises(TypeError, match="grdient"):
        Needs(grdient=True)


def test_an_unknown_companion_is_refused():
    with pytest.raises(ValueError, match="'segmentor'; those are segmenter"):
        Needs(companion="segmentor")
    assert {Needs(companion=name).companion for name in COMPANIONS} == set(COMPANIONS)


def test_other_images_than_slices_and_patches_are_refused():
    with pytest.raises(ValueError, match="'volumes'"):
        Needs(images="volumes")


def test_scans_are_kept_in_a_memory_alone():
    with pytest.raises(ValueError, match="memory"):
        Needs(keeps_scans=True)


def test_a_memory_is_learnt_and_what_is_learnt_has_a_memory():
    learn = staticmethod(lambda model, slices, depth: {})
    refused(case(needs=Needs(memory="case")), "learn")
    refused(case(learn=learn), "memory")
    check_scorer(case(learn=learn, needs=Needs(memory="case")))


@pytest.mark.parametrize("member", ["segmentor", "kl", "fusion"])
def test_a_member_is_a_map_scorer_that_is_made_of_no_others(member):
    with pytest.raises(ValueError, match=f"Case needs the member '{member}'"):
        check_members({**SCORERS, "case": case(needs=Needs(members=(member,)))})


def test_a_scorer_lacks_what_its_members_lack(tiny_checkpoint):
    kind = case(needs=Needs(members=("residual", "patch_error")))
    assert lacks(tiny_checkpoint.model, kind) == "patches"
    assert lacks(tiny_checkpoint.model, case(needs=Needs(members=("residual",)))) is None
