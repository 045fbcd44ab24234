"""What a lab relies on: an uploaded scan stays in memory, and nothing of it is written, logged or told to anybody."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("browser", "gatherUsageStats", False),
        ("server", "enableXsrfProtection", True),
        ("server", "enableCORS", True),
        ("server", "maxUploadSize", 200),
        ("server", "address", "localhost"),
        ("client", "showErrorDetails", "none"),
        ("client", "toolbarMode", "minimal"),
    ],
)
def test_the_server_starts_with_safe_settings(section, name, value):
    assert SETTINGS[section][name] == value
    asked = f"from streamlit import config; print(repr(config.get_option('{section}.{name}')))"
    found = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == repr(value), "Streamlit knows this option"
