"""Plotly figures, pictures and the report of a scan."""
