import { Burst, Frames, claim, hold, mount, resize } from "./hand.js";
import { readInks } from "./inks.js";
import { readMessage } from "./message.js";
import { GAP, arrange, fitTiles } from "./arranging.js";
import { PANELS, legend } from "./drawing.js";

/*
 * The scrubber: every frame lies here, a handle turns them, and Python hears where the handle was left.
 *
 * Message (bytes): header length as uint32, the header as JSON, then the arrays as fixed-point integers. In each array
 * the first axis is the position; an array with one row along it stands still.
 *
 * For measuring, the root element carries `timings`, the last frames drawn for a pointer (see hand.js), and `sent`, how
 * often a position went to Python.
 */

const PAGE_STEPS = 8; // PageUp and PageDown cross the range in about this many steps
const STACKED = 0.75; // of a panel's height on a narrow screen, which so shows the frames and the handle together
const BELOW = { every: 250, rest: 60 }; // ms: what lies below a moving handle is drawn so often, or once the hand rests
const SWEEP = 1600; // ms for the one turn of all frames at first view

const swept = new Set(); // keys that have had their sweep since the app was loaded

/* ---------------------------------------------------------------- the message */

function readScene(bytes) {
  const { scene, array } = readMessage(bytes);
  for (const panel of scene.panels) {
    for (const holder of panel.lines ?? [panel]) holder.values = rows(holder.values, array(holder.values));
    if (panel.classes) panel.classes = array(panel.classes);
    PANELS[panel.kind].prepare(panel);
  }
  return scene;
}

/** Fixed-point integers, row by row; a row drawn in place needs no number made of it. */
function rows({ shape, type, low, high }, integers) {
  const [zero, steps] = type === "uint8" ? [0, 255] : [-32768, 65535];
  const size = integers.length / shape[0];
  const step = (high - low) / steps;
  return {
    shape,
    size,
    row: (k) => integers.subarray(Math.min(k, shape[0] - 1) * size, Math.min(k + 1, shape[0]) * size),
    linear: (a, b) => [a + b * (low - zero * step), b * step], // value -> a + b value, as [offset, factor] of integers
    value: (integer) => low + (integer - zero) * step,
  };
}

/* ---------------------------------------------------------------- the component */

class Scrubber {
  constructor(root) {
    this.root = root;
    this.index = 0;
    this.frames = new Frames(() => this.keepUp());
    this.burst = new Burst(() => this.send());
    root.timings = this.frames.timings;
    root.sent = 0;
    this.build();
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
      if (turned) this.index = this.left = scene.start;
      this.last = scene.names.length - 1;
      this.index = Math.min(this.index, this.last);
      this.left = Math.min(this.left, this.last);
      this.fill();
    }
    this.layout();
    this.describe();
    if (scene.autoplay) this.sweepOnceSeen();
  }

  build() {
    this.root.innerHTML = `
      <div class="panels"></div>
      <ul class="legend" aria-hidden="true"></ul>
      <div class="control">
        <div class="position" aria-hidden="true"><span></span><b></b></div>
        <div class="slider" role="slider" tabindex="0" aria-orientation="horizontal" aria-valuemin="0">
          <div class="rail"></div><div class="fill"></div><div class="thumb"></div>
        </div>
        <div class="ticks" aria-hidden="true"></div>
      </div>
      <div class="panels"></div>`;
    const find = (selector) => this.root.querySelector(selector);
    this.places = this.root.querySelectorAll(".panels"); // above the handle, below it
    this.legend = find(".legend");
    this.control = find(".control");
    this.slider = find(".slider");
    this.ticks = find(".ticks");
    this.symbol = find(".position span");
    this.value = find(".position b");
  }

  /** New panels into the same places: a picture that is there already changes what it shows. */
  fill() {
    const { label, names, panels, stages } = this.scene;
    this.figures = panels.map((panel, n) => show(panel, this.figures?.[n] ?? figure()));
    let first = 0;
    this.stages = stages.map(({ count, ...stage }, n) => {
      const figures = this.figures.slice(first, (first += count));
      const [place, elements] = [this.places[n], figures.map(({ element }) => element)];
      if (elements.length !== place.children.length || elements.some((element) => element.parentElement !== place))
        place.replaceChildren(...elements);
      return { figures, ...stage };
    });
    this.legend.replaceChildren(...legend(panels.filter(({ axes }) => !axes?.length)));
    this.symbol.textContent = `${label} = `;
    this.slider.setAttribute("aria-label", `${label}, turns: ${panels.map((panel) => panel.title).join(", ")}`);
    this.slider.setAttribute("aria-valuemax", this.last);
    this.ticks.replaceChildren(...tickItems(names));
  }

  /* -------- size */

  layout() {
    const width = this.root.clientWidth;
    if (!width) return; // hidden, as in a closed tab; the observer calls again
    this.width = width;
    this.font = `11px ${getComputedStyle(this.root).fontFamily}`;
    for (const [n, { figures, height, columns }] of this.stages.entries()) {
      if (!figures.length) continue; // nothing below the handle
      const panels = figures.map(({ panel }) => panel);
      let rows = arrange(panels, width, height, columns);
      const stacked = n === 0 && rows.length > Math.ceil(panels.length / columns);
      const tall = stacked ? height * STACKED : height;
      if (stacked) rows = arrange(panels, width, tall, columns);
      const next = figures.values();
      for (const row of rows) this.layRow(row.map((share) => [next.next().value, share]), tall);
    }
    this.draw();
  }

  /** Figures of one row, each with its width: pictures set the height of what stands beside them. */
  layRow(row, height) {
    const { font } = this;
    const dpr = window.devicePixelRatio || 1;
    for (const [{ panel }, width] of row) if (panel.kind === "images") fitTiles(panel, { width, height, dpr });
    const tallest = Math.max(...row.map(([{ panel }]) => panel.grid?.height ?? 0)) || height;
    let left = this.width;
    for (const [position, [figure, width]] of row.entries()) {
      const { element, canvas, context, panel, caption } = figure;
      const own = panel.grid?.height ?? tallest;
      figure.box = { width, height: own, font, dpr };
      PANELS[panel.kind].fit?.(panel, figure.box, context);
      // the last one takes the rest of the row, so that nothing slips in beside it
      element.style.width = `${position < row.length - 1 ? width : left}px`;
      left -= width + GAP;
      caption.parentElement.style.maxWidth = panel.captions.length ? `${panel.grid?.width ?? width}px` : "";
      canvas.style.width = `${width}px`;
      canvas.style.height = `${own}px`;
      resize(canvas, figure.box);
      this.paper(figure);
    }
  }

  /** What no position changes is drawn once, beside the page. */
  paper(figure) {
    const { panel, box } = figure;
    figure.still = undefined;
    if (!panel.axes?.length) return;
    figure.still = figure.sheet ??= document.createElement("canvas");
    resize(figure.still, box);
    const context = figure.still.getContext("2d");
    context.clearRect(0, 0, box.width, box.height);
    PANELS[panel.kind].still(context, panel, box, this.inks);
  }

  /* -------- frames */

  draw() {
    clearTimeout(this.resting);
    this.completed = performance.now();
    this.turn(this.figures);
  }

  /** A frame under a moving hand: what lies above the handle is never late for what lies below it. */
  keepUp() {
    const [above, below] = this.stages;
    if (!below?.figures.length || performance.now() - this.completed > BELOW.every) return this.draw();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.draw(), BELOW.rest);
    return this.turn(above.figures);
  }

  turn(figures) {
    const name = this.scene.names[this.index];
    for (const { context, panel, box, caption, still } of figures) {
      if (!box) continue;
      context.clearRect(0, 0, box.width, box.height);
      if (still) context.drawImage(still, 0, 0, box.width, box.height);
      PANELS[panel.kind].draw(context, panel, this.index, box, this.inks);
      if (panel.captions.length) caption.textContent = panel.captions[Math.min(this.index, panel.captions.length - 1)];
    }
    this.control.style.setProperty("--at", this.last ? this.index / this.last : 0);
    this.value.textContent = name;
    this.slider.setAttribute("aria-valuenow", this.index);
    this.slider.setAttribute("aria-valuetext", `${this.scene.label} = ${name}`);
  }

  /** Show a position in the next animation frame; `input` is the time of the event behind it. */
  show(index, input) {
    this.index = Math.max(0, Math.min(this.last, index));
    this.frames.ask(input);
  }

  /** What the pictures show, in words; renewed when the handle rests, so that a reader is not flooded. */
  describe() {
    const at = `${this.scene.label} = ${this.scene.names[this.index]}`;
    for (const { canvas, panel, caption } of this.figures) {
      const note = caption.textContent && `; ${caption.textContent}`;
      canvas.setAttribute("aria-label", `${panel.title}: ${PANELS[panel.kind].words(panel, this.index)} at ${at}${note}`);
    }
  }

  /* -------- to Python */

  send() {
    this.burst.stop();
    this.describe();
    if (this.index === this.left) return;
    this.left = this.index;
    this.root.sent += 1;
    this.setStateValue("position", { turn: this.scene.turn, index: this.index });
  }

  /* -------- the hand */

  listen() {
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    hold(this.slider, this, signal);
    this.slider.addEventListener("keydown", (event) => this.press(event), { signal });
    this.slider.addEventListener("blur", () => this.burst.end(), { signal });
    this.observer = new ResizeObserver(() => this.scene && this.root.clientWidth !== this.width && this.layout());
    this.observer.observe(this.root);
    window.addEventListener("resize", () => this.scene && this.layout(), { signal }); // a zoom has other pixels
  }

  grab() {
    this.stopSweep();
    this.before = this.index;
    this.rail = this.slider.getBoundingClientRect(); // once a drag: asking in every move would force a layout
    this.slider.dataset.held = "";
    return this.slider;
  }

  follow(event) {
    const share = (event.clientX - this.rail.left - 11) / (this.rail.width - 22); // 11: half the thumb
    const index = Math.max(0, Math.min(this.last, Math.round(share * this.last)));
    if (index !== this.index) this.show(index, event.timeStamp);
  }

  release() {
    delete this.slider.dataset.held;
    this.frames.afterwards(() => this.send()); // describe what will have been drawn
  }

  giveUp() {
    delete this.slider.dataset.held;
    this.show(this.before);
  }

  press(event) {
    const page = Math.max(1, Math.round(this.last / PAGE_STEPS));
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: page, PageDown: -page };
    const target = { Home: 0, End: this.last }[event.key] ?? this.index + steps[event.key];
    if (Number.isNaN(target) || !claim(event)) return;
    this.stopSweep();
    this.show(target, event.timeStamp);
    this.burst.go();
  }

  /* -------- one turn of all frames, the first time they are seen */

  sweepOnceSeen() {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (still || swept.has(this.scene.key) || this.watcher) return;
    this.watcher = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) return;
      this.watcher.disconnect();
      swept.add(this.scene.key);
      const began = performance.now();
      const turn = (now) => {
        const share = Math.min(1, Math.max(0, (now - began) / SWEEP));
        const eased = share < 0.5 ? 2 * share * share : 1 - 2 * (1 - share) ** 2;
        this.index = Math.round(eased * this.left);
        this.draw();
        this.sweeping = share < 1 ? requestAnimationFrame(turn) : undefined;
      };
      this.sweeping = requestAnimationFrame(turn);
    }, { threshold: 0.4 });
    this.watcher.observe(this.root);
  }

  stopSweep() {
    this.watcher?.disconnect();
    if (this.scene) swept.add(this.scene.key);
    cancelAnimationFrame(this.sweeping);
    this.sweeping = undefined;
  }

  destroy() {
    this.leaving.abort();
    this.observer.disconnect();
    this.stopSweep();
    this.frames.stop();
    clearTimeout(this.resting);
    this.burst.stop();
  }
}

/* ---------------------------------------------------------------- parts */

function figure() {
  const element = document.createElement("figure");
  element.className = "panel";
  element.innerHTML = `
    <figcaption><span class="title"></span><span class="caption"></span></figcaption>
    <div class="sheet"><canvas role="img"></canvas><ul class="legend" aria-hidden="true"></ul></div>`;
  const [title, caption, canvas, own] = [".title", ".caption", "canvas", ".legend"].map((s) => element.querySelector(s));
  return { element, title, caption, canvas, own, context: canvas.getContext("2d") };
}

/** A panel in a figure's place. */
function show(panel, figure) {
  figure.panel = panel;
  figure.box = undefined;
  figure.title.textContent = panel.title;
  figure.caption.textContent = "";
  figure.own.replaceChildren(...(panel.axes?.length ? legend([panel]) : []));
  return figure;
}

function tickItems(names) {
  const last = names.length - 1;
  const step = [1, 2, 4, 5, 8, 10, 16, 20, 25, 50, 100].find((s) => last / s <= 8 && last % s === 0) ?? last;
  const ticks = [];
  for (let index = 0; index <= last; index += Math.max(step, 1)) {
    const tick = document.createElement("span");
    tick.style.setProperty("--at", last ? index / last : 0);
    tick.textContent = names[index];
    ticks.push(tick);
  }
  return ticks;
}

export default mount(Scrubber, ".scrubber");
