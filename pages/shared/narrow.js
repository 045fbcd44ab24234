// Closes the sidebar of a window under 1,000 pixels, as Streamlit does under 768, until its reader opens or closes it.

const NARROW = 1000, CHOICE = "stSidebarCollapsed-"; // where Streamlit keeps what the reader chose

function close() {
  const button = document.querySelector("[data-testid=stSidebarCollapseButton] button");
  if (innerWidth >= NARROW || !button || localStorage.getItem(CHOICE) !== null) return;
  button.click();
  localStorage.removeItem(CHOICE); // nobody chose
}

close();
addEventListener("resize", close);
// Streamlit opens it again after each new width.
new MutationObserver(close).observe(document.body, { subtree: true, attributeFilter: ["data-collapsed"] });
