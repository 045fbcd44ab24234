// Counts what the page asks of the app's script, and which of that is over, in its messages: protobuf, BackMsg and ForwardMsg.
(() => {
  const RERUN = 11, NEW_SESSION = 4, FINISHED = 6, EARLY_FOR_RERUN = 2; // fields; a status that another run follows
  const runs = (window.runs = { asked: 0, begun: 0, over: 0 });

  /** The message's fields in order, [number, value]; of those with a length the value is it. */
  function* fields(bytes) {
    let at = 0;
    const varint = () => {
      let value = 0, shift = 1;
      for (;;) {
        const byte = bytes[at++];
        value += (byte & 127) * shift;
        if (byte < 128) return value;
        shift *= 128;
      }
    };
    while (at < bytes.length) {
      const tag = varint(), wire = tag & 7;
      if (wire !== 0 && wire !== 2) return;
      const value = varint();
      yield [tag >> 3, value];
      if (wire === 2) at += value;
    }
  }

  function told({ data }) {
    if (!(data instanceof ArrayBuffer)) return;
    for (const [number, value] of fields(new Uint8Array(data))) {
      if (number === NEW_SESSION) runs.begun = runs.asked;
      if (number === FINISHED && value !== EARLY_FOR_RERUN) runs.over = runs.begun;
    }
  }

  window.WebSocket = class extends window.WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", told);
    }

    send(data) {
      if (data instanceof Uint8Array) for (const [number] of fields(data)) if (number === RERUN) runs.asked += 1;
      super.send(data);
    }
  };
})();
