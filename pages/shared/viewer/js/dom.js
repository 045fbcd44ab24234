// Elements in one call, so that a module reads like the markup it makes. Text never becomes HTML.

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(made.style, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** The same for a drawing. */
export function svg(tag, properties = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Writes only what has changed: a text written again is laid out again. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Up to four significant digits, whole numbers in full. */
export function toText(value) {
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(4))).replace("-", "−");
}

/** 0.0712 → "7.1 %". */
export function toPercent(share) {
  return `${(100 * share).toFixed(share < 0.001 && share > 0 ? 3 : 1)} %`;
}
