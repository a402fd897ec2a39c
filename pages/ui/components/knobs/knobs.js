import { readMessage } from "./message.js";
import { shelf } from "./decoder.js";
import { readInks } from "./inks.js";
import { Frames, mount } from "./hand.js";

/*
 * Knobs in front of a decoder: at every move the flux maps are decoded here, and drawn with the torque that they make, in
 * bands whose edges are contour lines. A machine's true map is drawn as lines over it. Python hears where the knobs were
 * left.
 *
 * For measuring, the root element carries `timings`, the last 512 frames drawn for a knob (see hand.js); and `sent`, how often the knobs went to Python.
 */

const BANDS = 12; // contour lines across the range of values
const FINE = 3; // pixels drawn for each point of the grid and axis: bands with smooth edges
const STEP = 0.05; // of a knob
const KEPT_TIMINGS = 512;

class Knobs {
  constructor(root) {
    this.root = root;
    this.frames = new Frames(() => this.draw(), KEPT_TIMINGS);
    root.timings = this.frames.timings;
    root.sent = 0;
    root.innerHTML = `<div><div class="sliders"></div><p class="said" aria-live="polite"></p></div><div class="surfaces"></div>`;
    this.said = root.querySelector(".said");
    this.observer = new ResizeObserver(() => this.layout());
    this.observer.observe(root);
    this.leaving = new AbortController();
    shelf().addEventListener("shelved", () => this.scene && this.draw(), { signal: this.leaving.signal });
  }

  /** Take a message: the same one again (any rerun of the page) only renews the way back to Python. */
  update(bytes, setStateValue) {
    this.setStateValue = setStateValue;
    const { scene, array } = readMessage(bytes);
    if (scene.digest !== this.scene?.digest) {
      const turned = scene.turn !== this.scene?.turn || scene.start.length !== this.values?.length;
      this.scene = scene;
      this.truth = array(scene.truth);
      if (turned) this.values = [...scene.start];
      this.fill();
    }
    this.inks = readInks(this.root);
    this.layout();
    this.draw();
  }

  fill() {
    const { span, surfaces, shape, axes } = this.scene;
    const sliders = this.root.querySelector(".sliders");
    sliders.replaceChildren(...this.values.map((value, n) => this.slider(value, n, span)));
    this.surfaces = surfaces.map((surface) => {
      const element = document.createElement("figure");
      element.innerHTML = `<figcaption></figcaption><canvas role="img"></canvas>
        <div class="axis"><span></span><span></span><span></span></div>`;
      element.querySelector("figcaption").textContent = surface.title;
      const labels = element.querySelectorAll(".axis span");
      [axes[0][0], axes[0][1], axes[0][2]].forEach((text, i) => (labels[i].textContent = text));
      const canvas = element.querySelector("canvas");
      [canvas.width, canvas.height] = [shape[0] * 8 * FINE, shape[1] * 8 * FINE];
      return { ...surface, element, canvas, context: canvas.getContext("2d") };
    });
    this.root.querySelector(".surfaces").replaceChildren(...this.surfaces.map(({ element }) => element));
  }

  slider(value, n, span) {
    const label = document.createElement("label");
    label.innerHTML = `<span></span><output></output><input type="range" step="${STEP}" min="${-span}" max="${span}">`;
    label.querySelector("span").textContent = `Knob ${n + 1}`;
    const [input, output] = [label.querySelector("input"), label.querySelector("output")];
    const tell = () => (output.textContent = this.values[n].toFixed(2));
    input.value = value;
    tell();
    input.addEventListener("input", (event) => {
      this.values[n] = +input.value;
      tell();
      this.frames.ask(event.timeStamp);
    });
    input.addEventListener("change", () => this.send());
    return label;
  }

  layout() {
    this.root.dataset.narrow = this.root.clientWidth < 620;
  }

  draw() {
    const network = shelf().networks.get(this.scene.network);
    if (!network || network.inputs !== this.values.length || !this.inks) return;
    const now = network.run(Float32Array.from(this.values));
    const count = this.scene.shape[0] * this.scene.shape[1];
    for (const surface of this.surfaces) {
      const values = valuesOf(surface.of, now, this.scene);
      const true_ = valuesOf(surface.of, this.truth, this.scene);
      this.shade(surface, values, true_);
    }
    const [flux, torque] = [off(now, this.truth, 2 * count), offTorque(now, this.truth, this.scene)];
    const words = `Against ${this.scene.machine}: flux off by ${flux.toFixed(2)} %, torque by ${torque.toFixed(2)} %.`;
    if (this.said.textContent !== words) this.said.textContent = words;
    for (const { canvas, title } of this.surfaces) canvas.setAttribute("aria-label", `${title}, as the knobs make it. ${words}`);
  }

  /** Bands of values in the role's ink; the true map's contour lines over them. */
  shade({ context, canvas, role, low, high }, values, truth) {
    const [columns, rows] = this.scene.shape;
    const [width, height] = [canvas.width, canvas.height];
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const table = this.inks.tables[role];
    const line = this.inks.tables.neutral[200];
    const scale = BANDS / (high - low);
    const below = new Int16Array(width); // the true band of the row above
    for (let y = 0, at = 0; y < height; y++) {
      const v = ((height - 1 - y) / (height - 1)) * (rows - 1); // row 0 is the lowest current
      const j = Math.min(rows - 2, Math.floor(v));
      const b = v - j;
      let left;
      for (let x = 0; x < width; x++, at++) {
        const u = (x / (width - 1)) * (columns - 1);
        const i = Math.min(columns - 2, Math.floor(u));
        const a = u - i;
        const k = i * rows + j;
        const w00 = (1 - a) * (1 - b), w01 = (1 - a) * b, w10 = a * (1 - b), w11 = a * b;
        const value = values[k] * w00 + values[k + 1] * w01 + values[k + rows] * w10 + values[k + rows + 1] * w11;
        const band = Math.max(0, Math.min(BANDS, Math.floor((value - low) * scale)));
        pixels[at] = table[Math.round((215 * band) / BANDS) + 10];
        const is = truth[k] * w00 + truth[k + 1] * w01 + truth[k + rows] * w10 + truth[k + rows + 1] * w11;
        const true_ = Math.floor((is - low) * scale);
        if (y && x && (true_ !== left || true_ !== below[x])) pixels[at] = line;
        left = below[x] = true_;
      }
    }
    context.putImageData(image, 0, 0);
  }

  /* -------- to Python */

  send() {
    const left = this.values.map((value) => +value.toFixed(2));
    this.root.sent += 1;
    this.setStateValue("knobs", { turn: this.scene.turn, values: left });
  }

  destroy() {
    this.leaving.abort();
    this.observer.disconnect();
    this.frames.stop();
  }
}

/** psi_d, psi_q or the torque they make, [columns * rows], column by column. */
function valuesOf(of, maps, { shape, torque }) {
  const count = shape[0] * shape[1];
  if (of === "psi_d") return maps.subarray(0, count);
  if (of === "psi_q") return maps.subarray(count, 2 * count);
  const made = new Float32Array(count);
  for (let i = 0, k = 0; i < shape[0]; i++) {
    const d = -1 + (2 * i) / (shape[0] - 1);
    for (let j = 0; j < shape[1]; j++, k++) made[k] = torque * ((maps[k] * j) / (shape[1] - 1) - maps[count + k] * d);
  }
  return made;
}

/** Root mean square difference in % of the true largest. */
function off(ours, truth, count) {
  let [sum, most] = [0, 0];
  for (let i = 0; i < count; i++) {
    sum += (ours[i] - truth[i]) ** 2;
    most = Math.max(most, Math.abs(truth[i]));
  }
  return (100 * Math.sqrt(sum / count)) / most;
}

function offTorque(ours, truth, scene) {
  const count = scene.shape[0] * scene.shape[1];
  return off(valuesOf("torque", ours, scene), valuesOf("torque", truth, scene), count);
}

export default mount(Knobs, ".knobs");
