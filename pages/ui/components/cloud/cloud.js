import { Burst, Figure, Frames, claim, hold, mount, resize } from "./hand.js";
import { readMessage, toNumbers } from "./message.js";
import { shelf } from "./decoder.js";
import { readInks } from "./inks.js";
import { Picture, Plane } from "./plane.js";

/*
 * z = mu + sigma * eps, held in the hand: three handles on a map of codes (the mean and the two spreads), the cloud of z
 * for noise that stays the same, and what the decoder makes of the first few. Python hears where the handles were left.
 */

const STEP = 0.1; // units of the plane for an arrow key; a tenth of it with Shift
const FINE = 0.01;
const TILE_GAP = 6; // px
const BESIDE = 560; // px a map and its pictures need to stand side by side
const LEAST_SIGMA = 0.02;
const APART = 26; // px from a spread's end to its handle: a narrow one must not hide under the mean's

/** Spreads are held on the side of the middle: there is always room. */
const inwards = (value) => (value > 0 ? -1 : 1);

const HANDLES = {
  mu: { name: "Mean", place: ([x, y]) => [x, y], text: ([x, y]) => `x ${x.toFixed(2)}, y ${y.toFixed(2)}` },
  across: { name: "Spread across", place: ([x, y, sx], apart) => [x + inwards(x) * (sx + apart), y], text: ([, , sx]) => sx.toFixed(2) },
  up: { name: "Spread upwards", place: ([x, y, , sy], apart) => [x, y + inwards(y) * (sy + apart)], text: ([, , , sy]) => sy.toFixed(2) },
};

class Cloud extends Figure {
  constructor(root) {
    super();
    this.root = root;
    this.frames = new Frames(() => this.draw());
    this.burst = new Burst(() => this.send());
    root.sent = 0;
    root.innerHTML = `<div class="both"><div class="map"><canvas class="live" aria-hidden="true"></canvas></div>
      <div class="tiles" role="img"></div></div>`;
    this.map = root.querySelector(".map");
    this.tiles = root.querySelector(".tiles");
    this.live = root.querySelector(".live");
    this.context = this.live.getContext("2d");
    this.handles = Object.entries(HANDLES).map(([kind, { name }]) => {
      const handle = document.createElement("i");
      handle.className = `handle ${kind}`;
      handle.dataset.kind = kind;
      handle.tabIndex = 0;
      handle.setAttribute("role", "slider");
      handle.setAttribute("aria-label", `${name} of the cloud; arrow keys change it, with Shift in small steps`);
      this.map.append(handle);
      return handle;
    });
    this.listen();
  }

  update(bytes, setStateValue) {
    this.setStateValue = setStateValue;
    const { scene, array } = readMessage(bytes);
    if (scene.digest !== this.scene?.digest) {
      const turned = scene.turn !== this.scene?.turn;
      scene.plane.codes = toNumbers(array(scene.plane.codes), scene.plane.codes);
      scene.plane.labels = array(scene.plane.labels);
      scene.plane.holes = undefined; // one thing at a time: the cloud is what matters here
      this.scene = scene;
      this.eps = array(scene.eps);
      if (turned) this.at = this.left = scene.start;
      this.plane?.canvas.remove();
      this.plane = new Plane(scene.plane, scene.span);
      this.map.prepend(this.plane.canvas);
      this.pictures = Array.from({ length: scene.shown }, () => new Picture(...scene.shape));
      this.tiles.replaceChildren(...this.pictures.map(({ canvas }) => canvas));
    }
    this.inks = readInks(this.root);
    this.layout();
    this.describe();
  }

  layout() {
    const width = this.root.clientWidth;
    if (!width) return; // hidden, as in a closed tab; the observer calls again
    this.width = width;
    const dpr = (this.dpr = window.devicePixelRatio || 1);
    const beside = width >= BESIDE;
    this.root.dataset.beside = beside;
    const side = Math.floor(Math.min(this.scene.height, beside ? width / 2 : width));
    this.map.style.width = this.map.style.height = `${side}px`;
    this.plane.resize(side, dpr);
    this.plane.draw(this.inks);
    this.live.style.width = this.live.style.height = `${side}px`;
    resize(this.live, { width: side, height: side, dpr });
    const room = beside ? width - side - 20 : width;
    const tile = Math.min(84, Math.floor((room + TILE_GAP) / 4) - TILE_GAP);
    for (const { canvas } of this.pictures) canvas.style.width = canvas.style.height = `${tile}px`;
    this.draw();
  }

  draw() {
    const { plane, context, eps, inks } = this;
    const [x, y, sx, sy] = this.at;
    for (const handle of this.handles) {
      const [hx, hy] = HANDLES[handle.dataset.kind].place(this.at, this.apart());
      handle.style.transform = `translate(${plane.x(hx)}px, ${plane.y(hy)}px)`;
    }
    context.clearRect(0, 0, plane.side, plane.side);
    context.fillStyle = inks.roles.latent;
    for (let i = 0; i < eps.length; i += 2) {
      const shown = i / 2 < this.pictures.length; // these are decoded beside the map
      const dot = shown ? 7 : 4;
      context.globalAlpha = shown ? 1 : 0.55;
      context.fillRect(plane.x(x + sx * eps[i]) - dot / 2, plane.y(y + sy * eps[i + 1]) - dot / 2, dot, dot);
    }
    context.globalAlpha = 1;
    plane.drawEllipse(context, { mu: [x, y], sigma: [sx, sy] }, inks.text, inks.paper);
    const network = shelf().networks.get(this.scene.network);
    if (!network) return;
    for (const [n, picture] of this.pictures.entries()) {
      const code = Float32Array.of(x + sx * eps[2 * n], y + sy * eps[2 * n + 1]);
      picture.draw(network.run(code), inks.tables.reconstruction);
    }
  }

  show(at, input) {
    const { span } = this.scene;
    const inside = (value) => Math.max(-span, Math.min(span, value));
    const spread = (value) => Math.max(LEAST_SIGMA, Math.min(span, value));
    this.at = [inside(at[0]), inside(at[1]), spread(at[2]), spread(at[3])];
    this.frames.ask(input);
  }

  describe() {
    const [x, y, sx, sy] = this.at.map((value) => value.toFixed(2));
    for (const handle of this.handles) handle.setAttribute("aria-valuetext", HANDLES[handle.dataset.kind].text(this.at));
    const words = `${this.pictures.length} pictures decoded from codes around x ${x}, y ${y} with spreads ${sx} and ${sy}`;
    this.tiles.setAttribute("aria-label", words);
  }

  send() {
    this.burst.stop();
    this.at = this.at.map((value) => Math.round(value / FINE) * FINE);
    this.describe();
    if (this.at.every((value, i) => value === this.left[i])) return;
    this.left = this.at;
    this.root.sent += 1;
    this.setStateValue("position", { turn: this.scene.turn, at: this.at.map((value) => +value.toFixed(2)) });
  }

  listen() {
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    const on = (name, handler) => this.map.addEventListener(name, handler, { signal });
    hold(this.map, this, signal);
    on("keydown", (event) => this.press(event));
    on("focusout", () => this.burst.end());
    this.observer = new ResizeObserver(() => this.scene && this.root.clientWidth !== this.width && this.layout());
    this.observer.observe(this.root);
    window.addEventListener("resize", () => this.scene && window.devicePixelRatio !== this.dpr && this.layout(), { signal });
    shelf().addEventListener("shelved", () => this.scene && this.inks && this.draw(), { signal });
  }

  /** A handle, or the mean for a press anywhere else. */
  grab(event) {
    this.held = { kind: event.target.dataset.kind ?? "mu", box: this.map.getBoundingClientRect(), before: this.at };
    return this.map;
  }

  follow(event) {
    const [px, py] = this.plane.at(event.clientX, event.clientY, this.held.box);
    const [x, y, sx, sy] = this.at;
    const placed = {
      mu: () => [px, py, sx, sy],
      across: () => [x, y, inwards(x) * (px - x) - this.apart(), sy],
      up: () => [x, y, sx, inwards(y) * (py - y) - this.apart()],
    };
    this.show(placed[this.held.kind](), event.timeStamp);
  }

  /** `APART` in units of the plane. */
  apart() {
    return (APART / this.plane.side) * 2 * this.scene.span;
  }

  release() {
    this.frames.afterwards(() => this.send());
  }

  giveUp() {
    this.show(this.held.before);
  }

  press(event) {
    const kind = event.target.dataset.kind;
    const step = event.shiftKey ? FINE : STEP;
    const moves = { ArrowRight: [step, 0], ArrowLeft: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    const move = moves[event.key];
    if (!kind || !move || !claim(event)) return;
    const [x, y, sx, sy] = this.at;
    const grow = move[0] + move[1];
    if (kind === "mu") this.show([x + move[0], y + move[1], sx, sy]);
    else this.show(kind === "across" ? [x, y, sx + grow, sy] : [x, y, sx, sy + grow]);
    this.burst.go();
  }
}

export default mount(Cloud, ".cloud");
