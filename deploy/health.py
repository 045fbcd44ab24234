"""`python deploy/health.py [ADDRESS]`: exit status 0 when the app answers and shows a sample's anomaly maps to a new session.

A server that answers while its pages are broken is not healthy, so this opens the first page as a browser does.
"""

import sys
import time
import urllib.request

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

SECONDS = 50.0


def main(address: str) -> int:
    """Prints one sentence that says what is wrong, or that all is well."""
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as answer:
            answer.read()
        wrong = _first_page(address)
    except TimeoutError:
        wrong = f"The sample's maps were not there after {SECONDS:g} s."
    except (OSError, WebSocketException) as error:
        wrong = f"The server does not answer ({error})."
    print(wrong or "The sample was scored and shown.")
    return 1 if wrong else 0


def _first_page(address: str) -> str:
    """What is wrong with it; nothing, when it ran to its end and drew the viewer."""
    ask, deadline, drawn = BackMsg(), time.monotonic() + SECONDS, False
    ask.rerun_script.query_string = ""
    with connect(f"{address.replace('http', 'ws', 1)}/_stcore/stream", max_size=1 << 30, proxy=None) as socket:
        socket.send(ask.SerializeToString())
        while True:
            message = ForwardMsg.FromString(socket.recv(max(0.0, deadline - time.monotonic())))
            element = message.delta.new_element
            kind = element.WhichOneof("type")
            if kind == "exception":
                return "The first page shows an exception; see the server's log."
            if kind == "alert" and element.alert.format == element.alert.ERROR:
                return f"The first page shows an error: {element.alert.body}"
            drawn = drawn or kind == "bidi_component"
            if message.WhichOneof("type") == "script_finished":
                return "" if drawn else "The first page ended without the viewer."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8501"))
