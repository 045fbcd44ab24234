import pytest

from vaead_core.cohorts.locations import find_data


def test_a_folder_of_the_servers_data_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("VAEAD_DATA", str(tmp_path))
    (tmp_path / "scans").mkdir()
    assert find_data("scans") == tmp_path / "scans"
    assert find_data("no such scans") is None


@pytest.mark.parametrize("name", ["..", ".", "", "/", "../elsewhere", "scans/../../elsewhere", "{}"])
def test_no_path_leads_out_of_the_data_folder(name, tmp_path, monkeypatch):
    monkeypatch.setenv("VAEAD_DATA", str(tmp_path / "data"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data" / "scans").mkdir(parents=True)
    assert find_data(name.format(tmp_path / "elsewhere")) is None
