"""`streamlit run app.py`: page settings and navigation."""

import streamlit as st

st.set_page_config("vaead: can I trust this anomaly map?", page_icon=":material/neurology:", layout="wide")
st.navigation([st.Page("pages/explore.py", title="Explore", icon=":material/search:", default=True)]).run()
