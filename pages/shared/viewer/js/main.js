// Streamlit calls this at first and whenever the data changes; the element stays, so the viewer does too.

import { Viewer } from "./viewer.js";

const viewers = new WeakMap(); // element → { viewer, calls }

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".viewer");
  const entry = viewers.get(root) ?? { viewer: new Viewer(root), calls: 0 };
  viewers.set(root, entry);
  const call = (entry.calls += 1);
  entry.viewer.update(data, { setStateValue });
  return () => { // also called for a call that a newer one has overtaken
    if (entry.calls !== call) return;
    entry.viewer.close();
    viewers.delete(root);
  };
}
