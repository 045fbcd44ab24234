"""A class that breaks its contract is refused by name when it is registered, whatever the registry."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import partial
from typing import ClassVar

import pytest

from vaead_core import detectors, scorers
from vaead_core.anomalies import lesions, toys
from vaead_core.errors import InputError
from vaead_core.registry import Registry, check_contract

CONTRACTS = {"detector": detectors.Detector, "toy": toys.Toy, "lesion": lesions.Lesion}
REGISTRIES = (scorers.SCORERS, detectors.DETECTORS, toys.TOYS, lesions.LESIONS)


class Shape(ABC):
    """A contract."""

    title: ClassVar[str]
    hollow: ClassVar[bool] = False

    @property
    @abstractmethod
    def corners(self) -> int: ...

    @abstractmethod
    def area(self) -> float: ...


class Rectangle(Shape):
    """What every case below inherits, and breaks in one place."""

    title: ClassVar[str] = "Rectangle"
    corners = 4

    def area(self) -> float:
        return 1.0


@pytest.fixture
def shapes() -> Registry[Shape]:
    return Registry("shape", partial(check_contract, contract=Shape))


def refused(shapes: Registry, kind: type, *words: str) -> None:
    with pytest.raises(TypeError) as caught:
        shapes.register("case")(kind)
    assert all(word in str(caught.value) for word in (kind.__name__, *words)), caught.value
    assert "case" not in shapes


def test_a_class_that_keeps_its_contract_is_built_with_its_settings(shapes):
    @shapes.register("square")
    @dataclass(frozen=True)
    class Square(Rectangle):
        """A square."""

        edge: float = 1.0
        _cache: ClassVar[dict] = {}

    assert shapes.build("square", edge=2.0) == Square(2.0)
    assert shapes.settings("square") == ("edge",)
    assert shapes.help_text("square") == "A square."
    with pytest.raises(InputError, match="There is no shape circle; choose among square"):
        shapes.build("circle")


def test_a_setting_may_be_what_the_contract_asks_for_as_a_property(shapes):
    @shapes.register("polygon")
    @dataclass(frozen=True)
    class Polygon(Rectangle):
        corners: int = 5

    assert shapes.build("polygon").corners == 5


def test_a_misspelt_constant_is_refused(shapes):
    @dataclass(frozen=True)
    class Case(Rectangle):
        holow = True

    refused(shapes, Case, "holow", "is hollow meant?")


def test_a_constant_that_only_a_base_class_misspells_is_refused_too(shapes):
    class Base(Rectangle):
        titel: ClassVar[str] = "x"

    @dataclass(frozen=True)
    class Case(Base):
        pass

    refused(shapes, Case, "titel", "is title meant?")


def test_an_annotation_without_a_value_is_an_attribute_too(shapes):
    @dataclass(frozen=True)
    class Case(Rectangle):
        colour: ClassVar[str]

    refused(shapes, Case, "colour")


@pytest.mark.parametrize("name", ["hollow", "holow"])
def test_a_constant_of_the_contract_is_no_setting_and_none_that_looks_like_one_is(shapes, name):
    case = dataclass(frozen=True)(type("Case", (Rectangle,), {"__annotations__": {name: bool}, name: True}))
    refused(shapes, case, name, "ClassVar")


def test_a_constant_of_another_type_is_refused(shapes):
    @dataclass(frozen=True)
    class Case(Rectangle):
        hollow: ClassVar[bool] = "no"  # type: ignore[assignment]

    refused(shapes, Case, "hollow", "'no'", "bool")


def test_a_missing_constant_is_refused(shapes):
    @dataclass(frozen=True)
    class Case(Shape):
        corners: int = 3

        def area(self) -> float:
            return 0.0

    refused(shapes, Case, "lacks title")


def test_a_missing_method_is_refused(shapes):
    @dataclass(frozen=True)
    class Case(Shape):
        title: ClassVar[str] = "Case"
        corners: int = 3

    refused(shapes, Case, "lacks area")


def test_a_misspelt_method_is_refused(shapes):
    @dataclass(frozen=True)
    class Case(Shape):
        title: ClassVar[str] = "Case"
        corners: int = 3

        def aera(self) -> float:
            return 0.0

    refused(shapes, Case, "aera", "is area meant?")


def test_a_public_helper_is_refused_and_a_private_one_is_not(shapes):
    @dataclass(frozen=True)
    class Case(Rectangle):
        def helper(self) -> None: ...

    @dataclass(frozen=True)
    class Quiet(Rectangle):
        def _helper(self) -> None: ...

    refused(shapes, Case, "helper")
    shapes.register("quiet")(Quiet)


def test_a_setting_without_a_default_is_refused(shapes):
    @dataclass(frozen=True)
    class Case(Rectangle):
        edge: float

    refused(shapes, Case, "edge", "without a default")


def test_only_frozen_dataclasses_are_registered(shapes):
    class Plain(Rectangle):
        pass

    @dataclass
    class Fluid:
        pass

    refused(shapes, Plain, "@dataclass(frozen=True)")
    refused(shapes, Fluid, "class Fluid(Shape)")
    refused(shapes, dataclass(type("Thawed", (Rectangle,), {})), "@dataclass(frozen=True)")


def test_a_name_is_given_once(shapes):
    @shapes.register("square")
    @dataclass(frozen=True)
    class Square(Rectangle):
        pass

    @dataclass(frozen=True)
    class Other(Rectangle):
        pass

    with pytest.raises(ValueError, match="Other: Square is the shape square already"):
        shapes.register("square")(Other)
    assert shapes["square"] is Square


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.noun)
def test_every_registry_checks_what_enters_it(registry):
    @dataclass(frozen=True)
    class Stranger:
        pass

    with pytest.raises(TypeError, match="Stranger"):
        registry.register("stranger")(Stranger)
    assert "stranger" not in registry
    with pytest.raises(ValueError, match="already"):
        registry.register(sorted(registry)[0])(Stranger)


@pytest.mark.parametrize("registry", REGISTRIES[1:], ids=lambda registry: registry.noun)
def test_a_misspelt_attribute_of_a_detector_a_toy_or_a_lesion_is_refused(registry):
    known = registry[sorted(registry)[0]]
    case = dataclass(frozen=True)(type("Case", (known,), {"titel": "x"}))
    with pytest.raises(TypeError, match=f"Case has titel, which no {CONTRACTS[registry.noun].__name__} has .is title meant"):
        registry.register("case")(case)


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.noun)
def test_settings_are_the_fields(registry):
    for name, kind in registry.items():
        assert registry.settings(name) == tuple(field.name for field in fields(kind))
