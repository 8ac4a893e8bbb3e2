// Hold to talk: the microphone as 16-bit samples at 16 kHz, in pieces of a tenth of a second.

const RATE = 16000, PIECE = 1600;

export class Microphone {
  constructor(button, send, complain) {
    this.button = button;
    this.send = send;
    this.complain = complain;
    this.open = null;
    button.addEventListener("pointerdown", (event) => { button.setPointerCapture(event.pointerId); this.start(); });
    for (const end of ["pointerup", "pointercancel"]) button.addEventListener(end, () => this.end());
    // With the keyboard: once to begin, once to end.
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      if (event.repeat) return;
      if (this.open) this.end(); else this.start();
    });
  }

  async start() {
    if (this.open) return;
    this.button.setAttribute("aria-pressed", "true");
    const wanted = {};
    this.open = wanted;
    try {
      wanted.stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true } });
      wanted.context = new AudioContext({ sampleRate: RATE });
      await wanted.context.audioWorklet.addModule("recorder.js");
      const node = new AudioWorkletNode(wanted.context, "recorder");
      wanted.waiting = [];
      node.port.onmessage = (event) => this.take(wanted, event.data);
      wanted.context.createMediaStreamSource(wanted.stream).connect(node);
      if (this.open !== wanted) this.close(wanted);
    } catch (error) {
      this.close(wanted);
      this.complain(`no microphone: ${error.message}. Allow it in the browser, or type.`);
    }
  }

  take(wanted, block) {
    wanted.waiting.push(...block);
    while (wanted.waiting.length >= PIECE) this.piece(wanted.waiting.splice(0, PIECE), false);
  }

  piece(samples, last) {
    const bytes = new Uint8Array(1 + 2 * samples.length), view = new DataView(bytes.buffer);
    bytes[0] = last ? 1 : 0;
    samples.forEach((s, i) => view.setInt16(1 + 2 * i, Math.max(-1, Math.min(1, s)) * 32767, true));
    this.send(bytes);
  }

  end() {
    const wanted = this.open;
    if (!wanted) return;
    if (wanted.waiting) this.piece(wanted.waiting, true);
    this.close(wanted);
  }

  close(wanted) {
    wanted.stream?.getTracks().forEach((track) => track.stop());
    wanted.context?.close();
    if (this.open === wanted) this.open = null;
    this.button.setAttribute("aria-pressed", "false");
  }
}
