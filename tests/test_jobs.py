"""Background jobs with real subprocesses: what they say, how they end, and that nothing is left of them."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.server import jobs, sessions
from tests.support.waiting import PATIENCE_SECONDS, until

ROOT = Path(__file__).resolve().parents[1]
BUSY = """
    import os, signal, subprocess, sys, time
    if {stubborn}:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    spin = "print('spins', flush=True)\\nwhile 1: pass"  # an ignored signal is ignored by a child too
    one = subprocess.Popen([sys.executable, "-c", spin], stdout=subprocess.PIPE)
    one.stdout.readline()
    print("pids", os.getpid(), one.pid, flush=True)
    time.sleep(600)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(code)]


def busy(stubborn: bool = False) -> list[str]:
    """A command whose own child turns a core."""
    return python(BUSY.format(stubborn=stubborn))


def pids_of(job: jobs.Job) -> list[int]:
    """The numbers of the command and of its child."""
    until(lambda: any(line.startswith("pids") for line in job.lines))
    [line] = [line for line in job.lines if line.startswith("pids")]
    return [int(pid) for pid in line.split()[1:]]


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_for_the_end(pids: list[int]) -> None:
    until(lambda: not any(map(alive, pids)))


@pytest.fixture(autouse=True)
def no_job_is_left():
    yield
    for job in list(jobs._running):
        job.cancel()
        job.wait(PATIENCE_SECONDS)
    assert not jobs._running


def test_a_finished_job_has_its_lines_and_its_time():
    began = time.monotonic()
    job = jobs.Job(python("print('one'); print('two')"), "Two lines")
    assert job.wait(PATIENCE_SECONDS) == jobs.FINISHED
    assert job.lines == ["one", "two"]
    assert 0 < job.elapsed <= time.monotonic() - began
    assert job.elapsed == job.elapsed


def test_a_job_starts_and_then_is_at_the_stage_that_it_told_last():
    said = "print('stage: reading *a*.nii'); time.sleep(1); print('one'); print('stage: epoch 1 of 2')"
    job = jobs.Job(python(f"import time; time.sleep(1); {said}"), "Work")
    assert job.stage == "starting"
    until(lambda: job.stage == "reading *a*.nii")
    job.wait(PATIENCE_SECONDS)
    assert (job.stage, job.lines) == ("epoch 1 of 2", ["one"])
    other = jobs.Job(python("print('one')"), "Work")
    other.wait(PATIENCE_SECONDS)
    assert other.stage == "", "it tells of none"


@pytest.mark.parametrize("cancelled", [False, True])
def test_what_shall_be_done_at_its_end_is_done_before_it_has_ended(cancelled):
    done = []
    job = jobs.Job(busy() if cancelled else python("print('one')"), "Work", at_end=lambda: done.append(job.state))
    if cancelled:
        pids_of(job)
        job.cancel()
    assert job.wait(PATIENCE_SECONDS) == (jobs.CANCELLED if cancelled else jobs.FINISHED)
    assert done == [jobs.RUNNING]


def test_a_failed_job_says_its_last_sentence():
    job = jobs.Job(python("import sys; print('some work'); sys.exit('The folder is empty; give another.')"), "Work")
    assert job.wait(PATIENCE_SECONDS) == jobs.FAILED
    assert job.last_sentence == "The folder is empty; give another."


def test_a_job_that_dies_silently_says_its_status():
    job = jobs.Job(python("import os; os.kill(os.getpid(), 9)"), "Work")
    assert job.wait(PATIENCE_SECONDS) == jobs.FAILED
    assert job.last_sentence == "It ended with status 137 and said nothing."


def test_the_log_is_bounded_in_lines_and_in_their_length():
    job = jobs.Job(python("print('\\n'.join(map(str, range(5000))), 'x' * 100_000)"), "Much")
    assert job.wait(PATIENCE_SECONDS) == jobs.FINISHED
    assert len(job.lines) == jobs.LINES
    assert max(map(len, job.lines)) <= jobs.LINE_LENGTH


def test_progress_is_what_the_listener_made_of_the_last_line_it_knows():
    def listen(line: str) -> float | None:
        return int(line) / 4 if line.strip().isdigit() else None

    job = jobs.Job(python("print(1); print(3); print('and so on')"), "Work", listen)
    job.wait(PATIENCE_SECONDS)
    assert job.share == 0.75


def test_threads_of_a_job_are_bounded():
    code = "import os; print(os.environ['OMP_NUM_THREADS'], os.nice(0), os.environ['VAEAD_APART'])"
    job = jobs.Job(python(f"{code}; print(open('/proc/self/oom_score_adj').read().strip())"), "Work")
    job.wait(PATIENCE_SECONDS)
    assert job.lines == [f"{jobs.THREADS} {min(19, os.nice(0) + 10)} 1", "1000"]
    assert max(os.cpu_count(), jobs.MOST_RUNNING) >= jobs.THREADS * jobs.MOST_RUNNING


@pytest.mark.shows(14)
def test_cancel_ends_what_the_command_started_too():
    job = jobs.Job(busy(), "Busy")
    pids = pids_of(job)
    assert all(map(alive, pids))
    job.cancel()
    wait_for_the_end(pids)
    assert job.wait(PATIENCE_SECONDS) == jobs.CANCELLED


def test_a_command_that_ignores_the_request_is_ended_after_the_grace(monkeypatch):
    monkeypatch.setattr(jobs, "GRACE_SECONDS", 0.5)
    job = jobs.Job(busy(stubborn=True), "Stubborn")
    pids = pids_of(job)
    begin = time.monotonic()
    job.cancel()
    wait_for_the_end(pids)
    assert time.monotonic() - begin >= jobs.GRACE_SECONDS
    assert job.wait(PATIENCE_SECONDS) == jobs.CANCELLED


def test_what_a_command_leaves_behind_ends_with_it():
    job = jobs.Job(python("import subprocess, sys; one = subprocess.Popen(['sleep', '600']); print('pids', one.pid)"), "Work")
    assert job.wait(PATIENCE_SECONDS) == jobs.FINISHED
    wait_for_the_end(pids_of(job))


def test_no_job_outlives_a_server_that_is_killed():
    code = f"from pages.shared.server import jobs\nimport time\njob = jobs.Job({busy()!r}, 'Busy')\n"
    code += "while not job.lines: time.sleep(0.02)\nprint(job.lines[0], flush=True)\ntime.sleep(600)"
    server = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    pids = [int(pid) for pid in server.stdout.readline().split()[1:]]
    assert all(map(alive, pids))
    server.kill()
    server.wait()
    wait_for_the_end(pids)


# On a page


def script() -> None:
    import sys

    import streamlit as st

    from pages.shared.server import jobs
    from vaead_core.errors import InputError

    key = st.text_input("Key", "one")
    if st.button("Start"):
        try:
            jobs.start(key, [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(600)"], f"Job {key}")
        except InputError as error:
            st.error(str(error))
    if job := jobs.find(key):
        jobs.show(job, lambda: st.caption("more"))


def press(app: AppTest, label: str) -> None:
    [button] = [button for button in app.button if button.label == label]
    button.click().run()
    assert not app.exception


@pytest.fixture
def app():
    return AppTest.from_function(script, default_timeout=240).run()


@pytest.mark.shows(14)
def test_a_page_follows_its_job_and_cancels_it(app):
    press(app, "Start")
    job = app.session_state["jobs"]["one"]
    assert app.get("progress")[0].proto.text.startswith("Job one: ")
    assert [one.value for one in app.caption] == ["more"]
    app.run()
    assert app.session_state["jobs"]["one"] is job
    press(app, "Cancel")
    assert job.wait(PATIENCE_SECONDS) == jobs.CANCELLED
    app.run()
    assert "Job one was cancelled after" in app.info[0].value
    press(app, "Start")
    assert app.session_state["jobs"]["one"].state == jobs.RUNNING


def test_a_job_is_started_once_and_a_server_runs_a_few(app):
    press(app, "Start")
    press(app, "Start")
    assert app.error[0].value == "Job one still runs; wait for it, or cancel it first."
    for key in ("two", "three"):
        app.text_input[0].set_value(key).run()
        press(app, "Start")
    assert app.error[0].value == "2 jobs run on this server already, which is the most it takes; try again later."
    assert len(jobs._running) == jobs.MOST_RUNNING


def elsewhere() -> None:
    import sys

    import streamlit as st

    from pages.shared.server import jobs

    jobs.show_followed()
    if st.button("Start"):
        command = [sys.executable, "-c", "import time; print('half', flush=True); time.sleep(600)"]
        jobs.start("one", command, "Job one", lambda line: 0.5)


@pytest.mark.shows(36)
def test_what_runs_is_told_beside_every_page_until_it_has_ended():
    app = AppTest.from_function(elsewhere, default_timeout=240).run()
    assert not app.sidebar.get("progress")
    press(app, "Start")
    job = app.session_state["jobs"]["one"]
    until(lambda: job.share == 0.5)
    app.run()
    assert [one.proto.text for one in app.sidebar.get("progress")] == ["Job one, 50%"]
    job.cancel()
    job.wait(PATIENCE_SECONDS)
    app.run()
    assert not app.sidebar.get("progress")


def test_jobs_belong_to_one_session(app):
    press(app, "Start")
    other = AppTest.from_function(script, default_timeout=240).run()
    assert not other.get("progress")
    press(other, "Start")
    assert other.session_state["jobs"]["one"] is not app.session_state["jobs"]["one"]


def test_a_job_of_an_abandoned_session_is_cancelled(app, monkeypatch):
    monkeypatch.setattr(sessions, "ABANDONED_SECONDS", 0.3)
    monkeypatch.setattr(sessions, "_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(sessions, "_is_open", lambda session: False)
    press(app, "Start")
    assert app.session_state["jobs"]["one"].wait(PATIENCE_SECONDS) == jobs.CANCELLED
