// The pictures of the tool bar: lines on a grid of 16 by 16, in the colour of the text.

import { svg } from "./dom.js";

const LINES = {
  axial: "M6.8 2.7 8 1l1.2 1.7M8 2.6c3.2 0 5 2.6 5 5.9s-2 6-5 6-5-2.7-5-6 1.8-5.9 5-5.9M8 2.6v11.9",
  coronal: "M5.5 14.5v-2.7c-1-.9-2.3-2.7-2.3-5.3 0-3 1.8-5 4.8-5s4.8 2 4.8 5c0 2.6-1.3 4.4-2.3 5.3v2.7M1.5 6.5V9M14.5 6.5V9M8 4v5",
  sagittal: "M12.5 14.5V12c0-1.9 1.5-3.1 1.5-5.5 0-2.6-1.6-5-5-5-3.5 0-5.2 2.3-5.2 4.5L2 9h1.8v2.2c0 .8.5 1.3 1.3 1.3H7v2",
  planes: "M1 4h4v8H1zM6 4h4v8H6zM11 4h4v8h-4z",
  mosaic: "M1.5 1.5h13v13h-13zM1.5 5.8h13M1.5 10.2h13M5.8 1.5v13M10.2 1.5v13",
  solid: "M8 1.5l6 3v7l-6 3-6-3v-7zM2 4.5l6 3 6-3M8 7.5v7",
  scan: "M1.5 3h13v10h-13zM6 3v10",
  opacity: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 2v12M8 5h5M8 8h6M8 11h5",
  fade: "M2 13 14 3v10zM6 9.7V13M10 6.3V13",
  range: "M6.5 9.5l3-3M7 4.8l1.6-1.6a3 3 0 0 1 4.2 4.2L11.2 9M9 11.2l-1.6 1.6a3 3 0 0 1-4.2-4.2L4.8 7",
  truth: "M5 3c2-1 3 .5 5 .3s3.5 1.2 3.2 3.7-1 3-1.7 4.5-3 2-4.5 1-4-1-4.6-3.5S3 4 5 3",
  agreement: "M6 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M10 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8",
  reconstruction: "M2 6h11l-3-3M14 10H3l3 3",
  ruler: "M1.5 10.5l9-9 4 4-9 9zM4 8l1.5 1.5M6.5 5.5 8 7M9 3l1.5 1.5",
  region: "M8 4.5c3 0 5.5 1.5 5.5 3.5S11 11.5 8 11.5 2.5 10 2.5 8 5 4.5 8 4.5M1.5 3h2v2h-2zM12.5 11h2v2h-2z",
  clear: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.8 9h6.4l.8-9",
  smooth: "M1.5 12.5c4.5 0 4-9 6.5-9s2 9 6.5 9",
  enlarge: "M9.5 2H14v4.5M14 2 9 7M6.5 14H2V9.5M2 14l5-5",
  reset: "M3 8a5 5 0 1 0 1.6-3.7M3.5 1.5V5H7",
  full: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
};

/** One of them; its name is said by what it stands in. */
export function icon(name) {
  return svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true", class: "icon" }, svg("path", { d: LINES[name] }));
}
