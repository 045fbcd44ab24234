"""The examples in docstrings of scans and measures say what is true."""

import doctest
import importlib
import pkgutil

import pytest

from vaead_core import measures, scans

MODULES = [
    f"{package.__name__}.{module.name}" for package in (scans, measures) for module in pkgutil.iter_modules(package.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0
    assert found.attempted > 0
