// The camera's picture with what the plan is about drawn over it, and pointing in it.

const TARGET = "#ffb020", REFERENCE = "#40aaff", POINTED = "#ff5fa2";

export class Picture {
  constructor(onPoint) {
    this.box = document.getElementById("picture");
    this.canvas = document.getElementById("canvas");
    this.context = this.canvas.getContext("2d");
    this.images = {};
    this.stamps = {};
    this.kind = "color";
    this.boxes = true;
    this.ahead = [];
    this.held = null;
    this.pointed = [];
    this.cross = null;
    this.drawing = null;
    this.onPoint = onPoint;
    this.listen();
  }

  async show(kind, bytes) {
    const stamp = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true);
    const image = await createImageBitmap(new Blob([bytes.subarray(8)], { type: "image/jpeg" }));
    this.images[kind]?.close();
    this.images[kind] = image;
    this.stamps[kind] = stamp;
    document.getElementById("no-picture").hidden = true;
    if (kind === this.kind) this.draw();
  }

  choose(kind) {
    this.kind = kind;
    this.draw();
  }

  draw() {
    const image = this.images[this.kind], c = this.context;
    if (!image) return;
    if (this.canvas.width !== image.width || this.canvas.height !== image.height) {
      this.canvas.width = image.width;
      this.canvas.height = image.height;
    }
    c.drawImage(image, 0, 0);
    if (this.boxes) {
      const seen = new Set();
      for (const step of this.ahead) {
        for (const [thing, shade] of [[step.target, TARGET], [step.reference, REFERENCE]]) {
          const key = thing && thing.box.join();
          const gone = step === this.held && thing === step.target;
          if (!thing || gone || thing.label === "the table" || seen.has(key)) continue;
          seen.add(key);
          this.frame(thing.box, shade, `${thing.label} ${Math.round(100 * thing.score)}%`);
        }
      }
    }
    this.pointed.forEach((box, i) => this.frame(box, POINTED, i ? "there" : "this"));
    if (this.drawing) this.frame(this.drawing, POINTED, "");
    if (this.cross) this.mark(this.cross);
  }

  frame(box, shade, name) {
    const c = this.context, [x0, y0, x1, y1] = box;
    if (x0 === x1 && y0 === y1) this.mark([x0, y0], shade);
    c.strokeStyle = shade;
    c.lineWidth = Math.max(2, this.canvas.width / 320);
    c.strokeRect(x0, y0, x1 - x0, y1 - y0);
    if (!name) return;
    c.font = `${Math.max(11, this.canvas.width / 48)}px system-ui, sans-serif`;
    const width = c.measureText(name).width + 8, height = Math.max(15, this.canvas.width / 36);
    const left = Math.min(Math.max(x0, 0), this.canvas.width - width), top = Math.max(y0 - height, 0);
    c.fillStyle = shade;
    c.fillRect(left, top, width, height);
    c.fillStyle = "#10161d";
    c.textBaseline = "middle";
    c.fillText(name, left + 4, top + height / 2);
  }

  mark([x, y], shade = POINTED) {
    const c = this.context;
    c.strokeStyle = shade;
    c.lineWidth = 3;
    c.beginPath();
    c.arc(x, y, 9, 0, 7);
    c.moveTo(x - 14, y); c.lineTo(x + 14, y);
    c.moveTo(x, y - 14); c.lineTo(x, y + 14);
    c.stroke();
  }

  listen() {
    const at = (event) => {
      const area = this.canvas.getBoundingClientRect();
      const clip = (v, most) => Math.min(Math.max(v, 0), most - 1);
      return [
        clip(((event.clientX - area.left) / area.width) * this.canvas.width, this.canvas.width),
        clip(((event.clientY - area.top) / area.height) * this.canvas.height, this.canvas.height),
      ];
    };
    let from = null;
    this.box.addEventListener("pointerdown", (event) => {
      if (!this.images.color) return;
      from = at(event);
      this.box.setPointerCapture(event.pointerId);
    });
    const between = (a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
    this.box.addEventListener("pointermove", (event) => {
      if (!from) return;
      this.drawing = between(from, at(event));
      this.draw();
    });
    this.box.addEventListener("pointerup", (event) => {
      if (!from) return;
      const to = at(event), drawn = Math.hypot(to[0] - from[0], to[1] - from[1]) > 8;
      this.point(drawn ? between(from, to) : [...from, ...from]);
      from = this.drawing = null;
    });
    this.box.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 40 : 10;
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
      if (event.key in moves) {
        event.preventDefault();
        const [x, y] = this.cross ?? [this.canvas.width / 2, this.canvas.height / 2];
        const [dx, dy] = moves[event.key];
        this.cross = [Math.min(Math.max(x + dx, 0), this.canvas.width - 1), Math.min(Math.max(y + dy, 0), this.canvas.height - 1)];
        this.draw();
      } else if (event.key === "Enter" && this.cross) {
        this.point([...this.cross, ...this.cross]);
        this.cross = null;
      }
    });
    this.box.addEventListener("blur", () => { this.cross = null; this.draw(); });
  }

  point(box) {
    this.onPoint(box.map((v) => Math.round(v * 10) / 10), String(this.stamps.color ?? 0));
    this.draw();
  }
}
