import plotly.graph_objects as go

from vaead_core.figures.history import history_figure

ROWS = {"epoch": [1.0, 2.0], "loss": [4.0, 3.0], "validation_loss": [5.0, float("nan")], "kl": [1.0, 2.0]}


def test_each_checkpoint_has_a_colour_and_each_part_a_line():
    figure = history_figure({"one": ROWS, "two": ROWS})
    go.Figure(figure)
    lines = [(line["name"], line["xaxis"], line["line"].get("dash"), line["y"]) for line in figure["data"]]
    assert lines[:2] == [("one", "x", None, [5.0, None]), ("one", "x", "dot", [4.0, 3.0])]
    assert [line[:3] for line in lines[4:]] == [("one", "x3", "dot"), ("two", "x3", "dot")]
    colours = {line["name"]: line["line"]["color"] for line in figure["data"]}
    assert len(set(colours.values())) == 2
    assert [line["name"] for line in figure["data"] if line["showlegend"]] == ["one", "two"]


def test_a_single_epoch_is_seen_as_a_point():
    figure = history_figure({"one": {name: values[:1] for name, values in ROWS.items()}})
    assert {line["mode"] for line in figure["data"]} == {"lines+markers"}
