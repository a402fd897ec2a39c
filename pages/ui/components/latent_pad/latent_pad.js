import { Burst, Figure, Frames, claim, hold, mount } from "./hand.js";
import { readMessage, toNumbers } from "./message.js";
import { shelf } from "./decoder.js";
import { readInks } from "./inks.js";
import { Picture, Plane } from "./plane.js";

/*
 * The latent pad: maps of codes under one pointer, each with its own decoder, which runs here at every move. Python hears
 * where the pointer was left.
 *
 * For measuring, the root element carries `timings`, the last frames decoded and drawn for a pointer (see hand.js), and
 * `sent`, how often a position went to Python.
 */

const STEP = 0.1; // units of the plane for an arrow key; a tenth of it with Shift
const FINE = 0.01; // also the grid on which the pointer is left, so that a link holds exactly what was seen
const GAP = 28; // px between maps that stand side by side
const PICTURE = { least: 112, most: 168 }; // px: four to six for each of 28
const ENOUGH = 300; // px: a map that large lets its picture grow
const BESIDE = 320; // px a map and its picture need to stand side by side
const KEPT_TIMINGS = 512;

function readScene(bytes) {
  const { scene, array } = readMessage(bytes);
  for (const pad of scene.pads) {
    pad.codes = toNumbers(array(pad.codes), pad.codes);
    pad.labels = array(pad.labels);
    if (pad.holes) pad.holes = { values: toNumbers(array(pad.holes), pad.holes), size: pad.holes.shape[0] };
  }
  return scene;
}

class LatentPad extends Figure {
  constructor(root) {
    super();
    this.root = root;
    this.at = [0, 0];
    this.frames = new Frames(() => this.draw(), KEPT_TIMINGS);
    this.burst = new Burst(() => this.send());
    root.timings = this.frames.timings;
    root.sent = 0;
    root.innerHTML = `<div class="pads"></div>`;
    this.pads = root.querySelector(".pads");
    this.listen();
  }

  /** Take a message: the same one again (any rerun of the page) only renews the way back to Python. */
  update(bytes, setStateValue) {
    this.setStateValue = setStateValue;
    const scene = readScene(bytes);
    const inks = readInks(this.root);
    if (scene.digest === this.scene?.digest && inks === this.inks) return;
    this.inks = inks;
    if (scene.digest !== this.scene?.digest) {
      const turned = scene.turn !== this.scene?.turn;
      this.scene = scene;
      if (turned) this.at = this.left = scene.start;
      this.fill();
    }
    this.layout();
    this.describe();
  }

  /** New maps into the same place; the one that has the focus keeps it. */
  fill() {
    const focused = this.figures?.findIndex(({ map }) => map.matches(":focus"));
    this.figures = this.scene.pads.map((pad) => this.figure(pad));
    this.pads.replaceChildren(...this.figures.map(({ element }) => element));
    if (focused >= 0) this.figures[focused]?.map.focus({ preventScroll: true });
  }

  figure(pad) {
    const element = document.createElement("figure");
    element.innerHTML = `
      <figcaption><span class="title"></span><span class="caption"></span></figcaption>
      <div class="both">
        <div class="map" role="slider" tabindex="0" aria-roledescription="map with a pointer" aria-valuenow="0"
          aria-valuemin="${-this.scene.span}" aria-valuemax="${this.scene.span}"><i class="pointer"></i></div>
        <div class="decoded"><span class="near" aria-hidden="true"></span></div>
      </div>`;
    const find = (selector) => element.querySelector(selector);
    find(".title").textContent = pad.title;
    find(".caption").textContent = pad.caption;
    const plane = new Plane(pad, this.scene.span);
    const picture = new Picture(...this.scene.shape);
    picture.canvas.setAttribute("role", "img");
    const map = find(".map");
    map.prepend(plane.canvas);
    map.setAttribute("aria-label", `${pad.title}: ${this.scene.label}. Arrow keys move the pointer, with Shift in small steps`);
    find(".decoded").prepend(picture.canvas);
    const code = Float32Array.from(pad.fixed); // the other numbers of a longer code stay as they are
    return { element, pad, plane, picture, map, code, near: find(".near"), pointer: find(".pointer") };
  }

  /* -------- size */

  layout() {
    const width = this.pads.clientWidth;
    if (!width) return; // hidden, as in a closed tab; the observer calls again
    this.width = width;
    this.dpr = window.devicePixelRatio || 1;
    const each = Math.floor((width - GAP * (this.figures.length - 1)) / this.figures.length);
    const beside = each >= BESIDE;
    const spare = Math.floor((each - 16 - ENOUGH) / 28) * 28; // whole pixels for each of the picture's
    const shown = Math.max(PICTURE.least, Math.min(PICTURE.most, beside ? spare : each));
    const side = Math.floor(Math.min(this.scene.height, beside ? each - shown - 16 : each));
    this.root.dataset.beside = beside;
    for (const { element, plane, map, picture } of this.figures) {
      element.style.width = `${each}px`;
      map.style.width = map.style.height = `${side}px`;
      plane.resize(side, this.dpr);
      const [rows, columns] = this.scene.shape;
      picture.canvas.style.width = `${shown}px`;
      picture.canvas.style.height = `${(shown * rows) / columns}px`;
      plane.draw(this.inks);
    }
    this.draw();
  }

  /* -------- frames */

  draw() {
    const [x, y] = this.at;
    for (const { pad, plane, picture, code, near, pointer } of this.figures) {
      pointer.style.transform = `translate(${plane.x(x)}px, ${plane.y(y)}px)`;
      const network = shelf().networks.get(pad.network);
      if (network) {
        code[pad.axes[0]] = x;
        code[pad.axes[1]] = y;
        picture.draw(network.run(code), this.inks.tables[pad.role]);
      }
      const name = plane.nearest(x, y);
      if (near.textContent !== name) near.textContent = name;
    }
  }

  /** Show a place in the next animation frame; `input` is the time of the event behind it. */
  show(at, input) {
    const { span } = this.scene;
    this.at = at.map((value) => Math.max(-span, Math.min(span, value)));
    this.frames.ask(input);
  }

  /** What is shown, in words; renewed when the pointer rests, so that a reader is not flooded. */
  describe() {
    const place = `x ${this.at[0].toFixed(2)}, y ${this.at[1].toFixed(2)}`;
    for (const { pad, plane, picture, map } of this.figures) {
      const near = plane.nearest(...this.at);
      map.setAttribute("aria-valuenow", this.at[0].toFixed(2));
      map.setAttribute("aria-valuetext", `${place}, nearest class ${near}`);
      picture.canvas.setAttribute("aria-label", `${pad.title}: what its decoder makes of ${place}; nearest class ${near}`);
    }
  }

  /* -------- to Python */

  send() {
    this.burst.stop();
    const [x, y] = (this.at = this.at.map((value) => Math.round(value / FINE) * FINE));
    this.describe();
    if (x === this.left[0] && y === this.left[1]) return;
    this.left = this.at;
    this.root.sent += 1;
    this.setStateValue("position", { turn: this.scene.turn, x: +x.toFixed(2), y: +y.toFixed(2) });
  }

  /* -------- the hand */

  listen() {
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    hold(this.pads, this, signal);
    this.pads.addEventListener("keydown", (event) => this.press(event), { signal });
    this.pads.addEventListener("focusout", () => this.burst.end(), { signal });
    this.observer = new ResizeObserver(() => this.scene && this.pads.clientWidth !== this.width && this.layout());
    this.observer.observe(this.pads);
    window.addEventListener("resize", () => this.scene && window.devicePixelRatio !== this.dpr && this.layout(), { signal });
    shelf().addEventListener("shelved", () => this.scene && this.inks && this.draw(), { signal });
  }

  grab(event) {
    const figure = this.figures.find(({ map }) => map.contains(event.target));
    if (!figure) return undefined;
    // the box once a drag: asking in every move would force a layout
    this.held = { figure, box: figure.map.getBoundingClientRect(), before: this.at };
    this.root.dataset.held = "";
    return figure.map;
  }

  follow(event) {
    this.show(this.held.figure.plane.at(event.clientX, event.clientY, this.held.box), event.timeStamp);
  }

  release() {
    this.letGo();
    this.frames.afterwards(() => this.send()); // describe what will have been drawn
  }

  giveUp() {
    const { before } = this.held;
    this.letGo();
    this.show(before);
  }

  letGo() {
    this.held = undefined;
    delete this.root.dataset.held;
  }

  press(event) {
    const step = event.shiftKey ? FINE : STEP;
    const moves = { ArrowRight: [step, 0], ArrowLeft: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    const move = moves[event.key];
    if ((!move && event.key !== "Home") || !claim(event)) return;
    this.show(move ? [this.at[0] + move[0], this.at[1] + move[1]] : [0, 0], event.timeStamp);
    this.burst.go();
  }
}

export default mount(LatentPad, ".latent-pad");
