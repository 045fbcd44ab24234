"""In a narrow window the sidebar begins closed, so that pictures have its room; its arrow opens it."""

import streamlit as st

NARROW = 1000  # px of a window
_SCRIPT = f"""
export default function () {{
  if (window.vaeadNarrow) return; // once a tab: what the reader opens stays open
  window.vaeadNarrow = true;
  if (window.innerWidth >= {NARROW}) return;
  const close = () => document.querySelector("[data-testid=stSidebarCollapseButton] button");
  const began = performance.now();
  const press = () => (close() ? close().click() : performance.now() - began < 5000 && requestAnimationFrame(press));
  press();
}}
"""
_mount = st.components.v2.component("vaead_narrow", html="<span></span>", js=_SCRIPT)


def close_sidebar() -> None:
    """Where the window is narrow, when the app is opened."""
    with st.sidebar:
        _mount(key="narrow", height=1)
