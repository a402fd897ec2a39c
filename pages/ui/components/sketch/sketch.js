import { readInks } from "./inks.js";

/*
 * The sketch: strokes drawn with mouse or finger, as 28 x 28 values with soft edges. Strokes are kept, not pixels: so the
 * drawing fits into a link, stays sharp at every size, and can be brought to the middle as MNIST's digits were.
 *
 * What goes to Python: {turn, centred, strokes, pixels}. `strokes` holds points in 1/8 of a value's side, two bytes a
 * point and 255 255 between strokes, as base64 that a link may carry; `pixels` 784 bytes, row by row, as base64.
 */

const SIDE = 28;
const STEPS = 8; // grid points for each value's side
const PEN = 2.4; // values: about what a pen leaves in MNIST
const BOX = 20; // values: MNIST's digits were scaled to fit such a square
const FINER = 8; // canvas pixels for each value's side, averaged to a value
const MOST_POINTS = 400; // in a link: about a kilobyte
const BREAK = 255;

const mounted = new WeakMap(); // root element -> Sketch

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".sketch");
  if (!root || !data) return undefined;
  if (!mounted.has(root)) mounted.set(root, new Sketch(root));
  const sketch = mounted.get(root);
  const call = sketch.update(data, setStateValue);
  return () => {
    if (sketch.call !== call) return; // overtaken by a newer one, which is still there
    sketch.destroy();
    mounted.delete(root);
  };
}

/* ---------------------------------------------------------------- strokes: [[x, y, x, y, ...], ...] in values */

function encode(strokes) {
  const bytes = [];
  for (const stroke of strokes) {
    if (bytes.length) bytes.push(BREAK, BREAK);
    for (const value of stroke) bytes.push(Math.max(0, Math.min(SIDE * STEPS, Math.round(value * STEPS))));
  }
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function decode(text) {
  const strokes = [[]];
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  } catch {
    return []; // a link that was cut short
  }
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    if (bytes[i] === BREAK && bytes[i + 1] === BREAK) strokes.push([]);
    else strokes.at(-1).push(bytes[i] / STEPS, bytes[i + 1] / STEPS);
  }
  return strokes.filter((stroke) => stroke.length);
}

/** Fewer points along the same line: those nearer than `apart` to the last kept one go. */
function thinned(strokes) {
  const count = (all) => all.reduce((sum, stroke) => sum + stroke.length / 2 + 1, 0);
  let kept = strokes.slice(-MOST_POINTS / 2);
  for (let apart = 0.5; count(kept) > MOST_POINTS && apart < SIDE; apart *= 1.4) {
    kept = kept.map((stroke) => {
      const out = stroke.slice(0, 2);
      for (let i = 2; i < stroke.length; i += 2) {
        const last = i + 2 >= stroke.length;
        const far = Math.hypot(stroke[i] - out.at(-2), stroke[i + 1] - out.at(-1)) >= apart;
        if (last || far) out.push(stroke[i], stroke[i + 1]);
      }
      return out;
    });
  }
  return kept;
}

/** Strokes scaled to fit the box: its longer side filled, proportions kept. */
function boxed(strokes) {
  const along = (n) => strokes.flatMap((stroke) => stroke.filter((_, i) => i % 2 === n));
  const [xs, ys] = [along(0), along(1)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = (BOX - PEN) / Math.max(right - left, bottom - top, 1);
  const place = (value, n) => (value - (n % 2 ? top + bottom : left + right) / 2) * scale + SIDE / 2;
  return strokes.map((stroke) => stroke.map(place));
}

function trace(context, strokes, scale, [across, down] = [0, 0]) {
  context.lineWidth = PEN * scale;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    context.moveTo((stroke[0] + across) * scale, (stroke[1] + down) * scale);
    for (let i = 0; i < stroke.length; i += 2) {
      context.lineTo((stroke[i] + across) * scale, (stroke[i + 1] + down) * scale); // the first point again: a dot shows
    }
    context.stroke();
  }
}

/** 28 x 28 values 0..255: the share of each that the pen covered. */
function rastered(strokes, shift) {
  const canvas = document.createElement("canvas");
  const side = SIDE * FINER;
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  trace(context, strokes, FINER, shift);
  const { data } = context.getImageData(0, 0, side, side);
  const sums = new Float64Array(SIDE * SIDE);
  for (let pixel = 0; pixel < side * side; pixel++) {
    const [row, column] = [Math.floor(pixel / (side * FINER)), Math.floor((pixel % side) / FINER)];
    sums[row * SIDE + column] += data[4 * pixel + 3];
  }
  return Uint8Array.from(sums, (sum) => Math.round(sum / FINER ** 2));
}

/** Values of the strokes; centred: in MNIST's box, with the centre of mass in the middle. */
function pixels(strokes, centred) {
  if (!strokes.length) return new Uint8Array(SIDE * SIDE);
  if (!centred) return rastered(strokes, [0, 0]);
  const fitted = boxed(strokes);
  let [mass, x, y] = [0, 0, 0];
  for (const [i, value] of rastered(fitted, [0, 0]).entries()) {
    mass += value;
    x += value * ((i % SIDE) + 0.5);
    y += value * (Math.floor(i / SIDE) + 0.5);
  }
  return rastered(fitted, [SIDE / 2 - x / mass, SIDE / 2 - y / mass]);
}

const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes));

/* ---------------------------------------------------------------- the component */

class Sketch {
  constructor(root) {
    this.root = root;
    this.call = 0;
    this.strokes = [];
    root.sent = 0;
    root.innerHTML = `
      <canvas role="img" tabindex="0"></canvas>
      <div class="row"><button type="button">Undo</button><button type="button">Clear</button></div>`;
    this.canvas = root.querySelector("canvas");
    this.context = this.canvas.getContext("2d");
    [this.undoButton, this.clearButton] = root.querySelectorAll("button");
    this.listen();
  }

  update({ turn, strokes, centred, label, size }, setStateValue) {
    this.setStateValue = setStateValue;
    const turned = turn !== this.turn;
    const changed = turned || centred !== this.centred;
    Object.assign(this, { turn, centred, label, size });
    if (turned) this.strokes = decode(strokes);
    this.inks = readInks(this.root);
    this.layout();
    if (changed && this.strokes.length) this.send(); // brought by a link: Python has the strokes, not yet the values
    return ++this.call;
  }

  layout() {
    const width = this.root.clientWidth;
    if (!width) return; // hidden, as in a closed tab; the observer calls again
    this.width = width;
    const side = Math.min(this.size, width);
    this.dpr = window.devicePixelRatio || 1;
    this.canvas.style.width = this.canvas.style.height = `${side}px`;
    this.canvas.width = this.canvas.height = Math.round(side * this.dpr);
    this.draw();
  }

  draw() {
    const { context, canvas, inks } = this;
    const count = this.strokes.length;
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (count) {
      context.strokeStyle = inks.roles.input;
      trace(context, this.strokes, canvas.width / SIDE);
    } else {
      context.fillStyle = inks.text;
      context.globalAlpha = 0.68;
      context.font = `${15 * this.dpr}px ${getComputedStyle(this.root).fontFamily}`;
      context.textAlign = "center";
      context.fillText(this.label, canvas.width / 2, canvas.height / 2);
      context.globalAlpha = 1;
    }
    const drawn = count ? `${count} ${count === 1 ? "stroke" : "strokes"}` : "empty";
    canvas.setAttribute("aria-label", `${this.label}: ${drawn}. Backspace takes the last stroke back, Delete all`);
    this.undoButton.disabled = this.clearButton.disabled = !count;
  }

  send() {
    const strokes = encode(thinned(this.strokes));
    const values = pixels(decode(strokes), this.centred); // of what a link will hold, so that both are the same
    this.root.sent += 1;
    this.setStateValue("drawn", { turn: this.turn, centred: this.centred, strokes, pixels: toBase64(values) });
  }

  /* -------- the hand */

  listen() {
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    const on = (target, name, handler) => target.addEventListener(name, handler, { signal });
    on(this.canvas, "pointerdown", (event) => this.begin(event));
    on(this.canvas, "pointermove", (event) => this.held === event.pointerId && this.follow(event));
    for (const name of ["pointerup", "pointercancel"]) {
      on(this.canvas, name, (event) => this.held === event.pointerId && this.end());
    }
    on(this.canvas, "keydown", (event) => this.press(event));
    on(this.undoButton, "click", () => this.takeBack(1));
    on(this.clearButton, "click", () => this.takeBack(this.strokes.length));
    this.observer = new ResizeObserver(() => this.size && this.root.clientWidth !== this.width && this.layout());
    this.observer.observe(this.root);
    window.addEventListener("resize", () => this.size && window.devicePixelRatio !== this.dpr && this.layout(), { signal });
  }

  point(event) {
    const inside = (share) => Math.max(0, Math.min(1, share)) * SIDE;
    const { left, top, width, height } = this.box;
    return [inside((event.clientX - left) / width), inside((event.clientY - top) / height)];
  }

  begin(event) {
    if (event.button !== 0 || this.held !== undefined) return;
    this.held = event.pointerId;
    this.box = this.canvas.getBoundingClientRect();
    this.canvas.setPointerCapture(event.pointerId);
    this.strokes.push(this.point(event));
    this.draw();
  }

  follow(event) {
    const moves = event.getCoalescedEvents(); // all that the hand did since the last frame, not only where it is now
    for (const move of moves.length ? moves : [event]) this.strokes.at(-1).push(...this.point(move));
    this.pending ??= requestAnimationFrame(() => {
      this.pending = undefined;
      this.draw();
    });
  }

  end() {
    this.held = undefined;
    this.send();
  }

  press(event) {
    if (event.key !== "Delete" && event.key !== "Backspace") return;
    event.preventDefault();
    this.takeBack(event.key === "Delete" ? this.strokes.length : 1);
  }

  takeBack(count) {
    if (!this.strokes.length) return;
    this.strokes.splice(-count);
    this.draw();
    this.send();
  }

  destroy() {
    this.leaving.abort();
    this.observer.disconnect();
    cancelAnimationFrame(this.pending);
  }
}
