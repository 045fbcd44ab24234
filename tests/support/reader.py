"""A reader of the app without a browser: a session over its websocket that uploads, looks, clicks and fetches as one does."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect

SECONDS = 300.0  # that a run may take
_COOKIE = "_streamlit_xsrf"


@dataclass
class Run:
    """What one run of a page drew. elements: each with the id of its fragment. failed: it did not come to its end."""

    elements: list[tuple[str, Any]] = field(default_factory=list)
    failed: bool = False

    def all(self, kind: str) -> list[Any]:
        """The elements of a kind, in order."""
        return [getattr(element, kind) for _, element in self.elements if element.WhichOneof("type") == kind]

    @property
    def sentences(self) -> list[str]:
        """What it says: errors, warnings and notes."""
        return [alert.body for alert in self.all("alert")]

    @property
    def errors(self) -> list[str]:
        """Exceptions, and sentences that say what went wrong."""
        broken = [f"{one.type}: {one.message}" for one in self.all("exception")] + ["a run failed"] * self.failed
        return broken + [alert.body for alert in self.all("alert") if alert.format == alert.ERROR]

    @property
    def toys(self) -> int:
        """How many toys the toy lab says it shows."""
        said = (re.match(r"Toys: (\d+)\.", text.body) for text in self.all("markdown"))
        return next((int(found[1]) for found in said if found), 0)

    @property
    def viewer(self) -> dict[str, Any] | None:
        """What the viewer was given; None where there is none."""
        return json.loads(self.component[1].json) if self.component else None

    @property
    def component(self) -> tuple[str, Any] | None:
        """The viewer's element, after the id of its fragment; what the toy lab shows of a dragged toy is a component too."""
        found = [(fragment, one.bidi_component) for fragment, one in self.elements if one.WhichOneof("type") == "bidi_component"]
        return next(((fragment, one) for fragment, one in reversed(found) if "scan" in json.loads(one.json)), None)


class Reader:
    """One session. `run` waits for the page to be drawn; each act is a run. tidy: asks to drop a file once another is sent."""

    def __init__(self, address: str, tidy: bool = True) -> None:
        self.address, self._host = address, address.partition("://")[2]
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=30) as answer:
            self._token = re.search(rf"{_COOKIE}=([^;]+)", answer.headers["Set-Cookie"])[1]
        self._socket = connect(f"ws://{self._host}/_stcore/stream", max_size=1 << 30, proxy=None, open_timeout=60, legacy=True)
        self._states: dict[str, WidgetState] = {}
        self._query, self._fetched, self._file, self._acts = "", set(), "", []
        self.session, self.page, self._tidy = "", "", tidy
        self.pages: dict[str, str] = {}
        self.last, self._begun = Run(), Run()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Leaves, as a closed tab does."""
        self._socket.close()

    def run(self, fragment: str = "", seconds: float = SECONDS) -> Run:
        """The page drawn with the widgets as they stand, or one fragment of it."""
        self.ask(fragment)
        return self.drawn(seconds)

    def ask(self, fragment: str = "") -> None:
        """Asks for a run and does not wait."""
        ask = BackMsg()
        ask.rerun_script.query_string, ask.rerun_script.fragment_id = self._query, fragment
        ask.rerun_script.page_script_hash = self.page
        ask.rerun_script.widget_states.widgets.extend(self._states.values())
        self._socket.send(ask.SerializeToString())

    def drawn(self, seconds: float = SECONDS) -> Run:
        """What the run that was asked for draws, until its end."""
        deadline = time.monotonic() + seconds
        while not self._follow(self._receive(deadline)):
            pass
        self._fetch(self.last)
        return self.last

    def told(self, seconds: float = SECONDS) -> str:
        """The first sentence of the run that goes on, which `drawn` tells too."""
        deadline = time.monotonic() + seconds
        while not self._begun.sentences:
            assert not self._follow(self._receive(deadline)), "the run ended and said nothing"
        return self._begun.sentences[0]

    def _follow(self, message: ForwardMsg) -> bool:
        """Takes a message into the run that goes on; whether that ended it."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._begun = Run()
            self.session = message.new_session.initialize.session_id
            self.page = message.new_session.page_script_hash
        elif kind == "navigation":
            self.pages = {page.page_name: page.page_script_hash for page in message.navigation.app_pages}
            self.page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._begun.elements.append((message.delta.fragment_id, message.delta.new_element))
        elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            self._begun.failed = message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR
            self.last, self._begun = self._begun, Run()
            return True
        return False

    def open(self, page: str) -> Run:
        """Another page, by its title."""
        self.page, self._states = self.pages[page], {}
        return self.run()

    def upload(self, name: str, content: bytes) -> Run:
        """A scan in the sidebar's uploader, in place of the last one."""
        self.put(name, content)
        return self.run()

    def put(self, name: str, content: bytes) -> None:
        """Sends a file, which the next run finds in the first uploader of the last one."""
        [uploader, *_] = self.last.all("file_uploader")
        [urls] = self.addresses(name)
        self.send(urls.upload_url, name, content)
        if self._file and self._tidy:
            self._request(self._file, "DELETE")
        self._file = urls.delete_url
        state = WidgetState(id=uploader.id)
        information = state.file_uploader_state_value.uploaded_file_info.add(name=name, size=len(content))
        information.file_id = urls.file_id
        information.file_urls.CopyFrom(urls)
        self._states[uploader.id] = state

    def addresses(self, *names: str) -> list[Any]:
        """Those that the server gives for files, whether or not a widget is there for them."""
        ask = BackMsg()
        ask.file_urls_request.request_id, ask.file_urls_request.session_id = str(uuid4()), self.session
        ask.file_urls_request.file_names.extend(names)
        self._socket.send(ask.SerializeToString())
        deadline = time.monotonic() + SECONDS
        while (message := self._receive(deadline)).WhichOneof("type") != "file_urls_response":
            pass
        return list(message.file_urls_response.file_urls)

    def send(self, address: str, name: str, content: bytes) -> None:
        """Sends a file to an address. Raises HTTPError."""
        border = uuid4().hex
        head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        body = head.encode() + content + f"\r\n--{border}--\r\n".encode()
        self._request(address, "PUT", body, {"Content-Type": f"multipart/form-data; boundary={border}"})

    def set(self, key: str, **value: Any) -> None:
        """A widget's value for the next run, by the key in its id: string_value="..." and so on, as WidgetState has them."""
        for _, element in self.last.elements:
            widget = getattr(element, element.WhichOneof("type") or "", None)
            if isinstance(widget, Message) and getattr(widget, "id", "").endswith(f"-{key}"):
                self._states[widget.id] = WidgetState(id=widget.id, **value)
                return
        raise LookupError(f"no widget {key} was drawn")

    def plant(self, voxel: tuple[int, int, int]) -> Run:
        """A click in the toy lab's viewer, which plants a toy."""
        self._acts.append({"number": len(self._acts) + 1, "name": "plant", "voxel": voxel})
        return self.look(acts=self._acts)

    def look(self, **seen: Any) -> Run:
        """What the viewer tells: cursor, thresholds, done, acts; the fragment that shows it is drawn again."""
        fragment, viewer = self.last.component
        self._states[viewer.id] = WidgetState(id=viewer.id, json_value=json.dumps(seen))
        before, found = self.last, self.run(fragment)
        if not found.all("file_uploader"):  # the rest of the page stays
            kept = [one for one in before.elements if one[0] != fragment]
            self.last = Run([*kept, *found.elements], found.failed)
        return found

    def _fetch(self, found: Run) -> None:
        """The volumes that the viewer does not have yet."""
        shown = found.viewer
        for layer in [] if shown is None else [shown["scan"], *shown["layers"], shown["truth"], shown["reconstruction"]]:
            if layer and layer["digest"] not in self._fetched:
                self._request(layer["address"])
                self._fetched.add(layer["digest"])

    def _request(self, path: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
        headers = {"Cookie": f"{_COOKIE}={self._token}", "X-Xsrftoken": self._token, **(headers or {})}
        with urllib.request.urlopen(
            urllib.request.Request(self.address + path, body, headers, method=method), timeout=SECONDS
        ) as answer:
            return answer.read()

    def _receive(self, deadline: float) -> ForwardMsg:
        return ForwardMsg.FromString(self._socket.recv(max(0.0, deadline - time.monotonic())))
