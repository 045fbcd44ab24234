"""The machine's faults as sentences, in the core, on the command line and on a page."""

import threading

import numpy as np
import pytest
import SimpleITK
from streamlit.testing.v1 import AppTest

from vaead_core.errors import exit_status, fault

MEMORY = "There is not enough memory for this; crop or resample the scan, or try again later."


def error_of(work) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011, whatever a library raises
        work()
    return caught.value


@pytest.mark.parametrize(
    "work",
    [
        lambda: np.empty(1 << 50),
        lambda: bytearray(1 << 50),
        lambda: SimpleITK.Image([1 << 20, 1 << 20, 64], SimpleITK.sitkFloat64),
    ],
    ids=["NumPy", "Python", "ITK"],
)
def test_memory_that_there_is_not_is_one_sentence_whoever_asks_for_it(work):
    assert fault(error_of(work)) == MEMORY


def test_a_thread_that_cannot_begin_is_one_too():
    old = threading.stack_size(1 << 40)
    try:
        assert fault(error_of(lambda: threading.Thread(target=print).start())) == MEMORY
    finally:
        threading.stack_size(old)


def test_a_file_that_is_gone_is_one_sentence_without_its_name(tmp_path):
    said = fault(error_of((tmp_path / "DOE_JANE").read_bytes))
    assert said == "A file could not be read or written (No such file or directory); try again, or tell whoever runs this server."


@pytest.mark.parametrize("error", [ValueError("height"), RuntimeError("a programmer's"), KeyError("x")])
def test_a_programmers_mistake_has_no_sentence(error):
    assert fault(error) is None


def test_the_command_line_ends_with_the_sentence_and_status_2(tmp_path, capsys):
    assert exit_status(lambda: np.empty(1 << 50), tmp_path, "nothing is lost") == 2
    assert capsys.readouterr().err == f"{MEMORY}\n"
    with pytest.raises(RuntimeError, match="a programmer's"):
        exit_status(lambda: (_ for _ in ()).throw(RuntimeError("a programmer's")), tmp_path, "")


def page(kind: str) -> None:
    import numpy as np
    import streamlit as st

    from pages.shared.notices import faults
    from vaead_core.errors import InputError

    def give() -> None:
        raise InputError("Give **another** scan.")

    with faults():
        {"memory": lambda: np.empty(1 << 50), "input": give, "mistake": lambda: [][0]}[kind]()
    st.text("the rest")


@pytest.mark.parametrize(("kind", "said"), [("memory", MEMORY), ("input", "Give \\*\\*another\\*\\* scan.")])
def test_a_page_says_it_and_goes_on(kind, said):
    app = AppTest.from_function(page, args=(kind,), default_timeout=240).run()
    assert [error.value for error in app.error] == [said]
    assert app.text[0].value == "the rest"
    assert not app.exception


def test_a_page_does_not_hide_a_programmers_mistake():
    app = AppTest.from_function(page, args=("mistake",), default_timeout=240).run()
    assert len(app.exception) == 1
    assert not app.error
