// While a toy is dragged, Python scores the slice that is looked at, one request at a time, and it is drawn in the place of the last.

export class Preview {
  constructor(viewer) {
    this.viewer = viewer;
    this.drawn = 0; // how many were drawn
    this.onAnswer = ({ detail }) => this.hear(detail);
    window.addEventListener("vaead-preview", this.onAnswer);
  }

  close() {
    window.removeEventListener("vaead-preview", this.onAnswer);
  }

  /** act: where the toy is held; asked of Python once it has answered the last. */
  want(act) {
    this.wanted = act;
    this.askNext();
  }

  /** The drag is over; what was drawn last stays until Python's answer to it, or goes. */
  end(isKept) {
    this.wanted = null;
    if (!isKept && this.whole) this.show(this.whole);
    this.whole = null;
  }

  askNext() {
    const ask = window.vaeadAsk?.[this.viewer.data.key];
    if (!this.wanted || !ask || this.isAsking) return;
    this.isAsking = true;
    this.viewer.settings.previewed += 1;
    ask({ number: this.viewer.settings.previewed, index: this.viewer.settings.cursor[2], ...this.wanted });
    this.wanted = null;
  }

  hear({ key, preview }) {
    const { viewer } = this;
    if (key !== viewer.data?.key || (preview && preview.number !== viewer.settings.previewed)) return;
    this.isAsking = false;
    if (viewer.toys.held && preview?.codes.length > 0) this.patch(preview);
    this.askNext();
  }

  patch({ index, codes }) {
    const { viewer } = this;
    this.whole ??= viewer.volumes;
    const { scan, truth, reconstruction, layers } = this.whole;
    const [seen, marked, ...maps] = codes.map(decoded), digest = `preview ${viewer.settings.previewed}`;
    const patched = (volume, slice, isCounted) => volume?.withSlice(index, slice, `${volume.digest} ${digest}`, isCounted);
    this.drawn += 1;
    viewer.root.dataset.previews = this.drawn;
    this.show({
      isWhole: false, scan: patched(scan, seen, true), truth: patched(truth, marked, false), reconstruction,
      layers: layers.map((layer, at) => patched(layer, maps[at], true)),
    });
  }

  show(volumes) {
    this.viewer.see(volumes);
    this.viewer.redraw();
  }
}

function decoded(text) {
  return new Int16Array(Uint8Array.from(atob(text), (one) => one.charCodeAt(0)).buffer);
}
