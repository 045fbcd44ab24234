"""`streamlit run app.py`: page settings, the room that pages leave at their edges and in warnings, and navigation."""

import streamlit as st

from pages.shared import narrow
from pages.shared.notices import faults
from pages.shared.server import jobs, queue

st.set_page_config("vaead: can I trust this anomaly map?", page_icon="🧠", layout="wide")
st.html(
    "<style>.stMainBlockContainer { padding: 3.5rem 2rem 2rem; }"
    ".st-key-explore_head { flex-wrap: nowrap; }"
    ".st-key-explore_head > :has([data-testid=stCaptionContainer]) { min-width: 0; flex: 1; }"
    ".stMain .stAlertContainer:has([data-testid=stAlertContentWarning]) { padding: 0.5rem 0.75rem; }"
    ".stMain [data-testid=stAlertContentWarning] p { font-size: 0.875rem; }</style>"
)
chosen = st.navigation(
    [
        st.Page("pages/explore.py", title="Explore", icon=":material/search:", default=True),
        st.Page("pages/toy_lab.py", title="Toy lab", icon=":material/science:"),
        st.Page("pages/cohort.py", title="Cohort", icon=":material/groups:"),
        st.Page("pages/benchmark.py", title="Benchmark", icon=":material/leaderboard:"),
        st.Page("pages/latent_space.py", title="Latent space", icon=":material/scatter_plot:"),
        st.Page("pages/checkpoints.py", title="Checkpoints", icon=":material/inventory_2:"),
    ]
)
narrow.close_sidebar()
jobs.show_followed()
with faults(), queue.page():
    chosen.run()
