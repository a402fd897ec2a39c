import { Burst, Frames, claim, hold, mount } from "./hand.js";
import { readInks } from "./inks.js";
import { readMessage } from "./message.js";

/*
 * The scrubber: every frame lies here, a handle turns them, and Python hears where the handle was left.
 *
 * Message (bytes): header length as uint32, the header as JSON, then the arrays as fixed-point integers. In each array
 * the first axis is the position; an array with one row along it stands still.
 *
 * For measuring, the root element carries `timings`, the last frames drawn for a pointer (see hand.js), and `sent`, how
 * often a position went to Python.
 */

const STYLES = {
  input: { width: 1.4, dash: [] },
  reconstruction: { width: 3, dash: [] },
  lost: { width: 1.6, dash: [5, 4] },
  latent: { width: 2, dash: [] },
  anomaly: { width: 2, dash: [2, 3] },
  neutral: { width: 1.2, dash: [] },
};
const PAGE_STEPS = 8; // PageUp and PageDown cross the range in about this many steps
const GAP = 28; // px between panels that stand side by side
const NARROWEST = { panel: 190, picture: 96, tile: 32 }; // px: where less is left, panels go under each other
const STACKED = 0.75; // of a panel's height once they do, so that a phone shows the frames and the handle together
const SWEEP = 1600; // ms for the one turn of all frames at first view

const swept = new Set(); // keys that have had their sweep since the app was loaded

/* ---------------------------------------------------------------- the message */

function readScene(bytes) {
  const { scene, array } = readMessage(bytes);
  for (const panel of scene.panels) {
    for (const holder of panel.lines ?? [panel]) holder.values = rows(holder.values, array(holder.values));
    if (panel.classes) panel.classes = array(panel.classes);
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

/* ---------------------------------------------------------------- drawing: (context, panel, position, box, inks) */

const DRAW = { curves: drawCurves, images: drawImages, bars: drawBars, points: drawPoints };

function drawCurves(context, panel, position, { width, height }, inks) {
  const [low, high] = panel.y_range;
  const inset = 2;
  const scale = (height - 2 * inset) / (low - high); // y grows downwards
  const zero = low <= 0 && high >= 0 ? inset - high * scale : height - inset;
  context.fillStyle = inks.line;
  context.fillRect(0, Math.round(zero), width, 1);
  context.lineJoin = "round";
  for (const line of panel.byWidth) {
    const row = line.values.row(position);
    const [offset, factor] = line.values.linear(inset - high * scale, scale);
    const stride = (width - 2 * inset) / Math.max(row.length - 1, 1);
    context.beginPath();
    for (let i = 0; i < row.length; i++) context.lineTo(inset + i * stride, offset + factor * row[i]);
    context.strokeStyle = inks.roles[line.role];
    context.lineWidth = STYLES[line.role].width;
    context.setLineDash(STYLES[line.role].dash);
    context.stroke();
  }
  context.setLineDash([]);
}

function drawImages(context, panel, position, box, inks) {
  const [, count, rows, columns] = panel.values.shape;
  const row = panel.values.row(position);
  const { tile, tileHeight, gap } = panel.grid;
  const table = inks.tables[panel.role];
  const { scratch, image, pixels } = panel;
  for (let i = 0; i < row.length; i++) pixels[i] = table[row[i]];
  scratch.putImageData(image, 0, 0); // the tiles lie under each other
  context.imageSmoothingEnabled = !panel.grid.whole;
  context.imageSmoothingQuality = "high";
  context.fillStyle = inks.faint;
  for (let n = 0; n < count; n++) {
    const x = (n % panel.per_row) * (tile + gap);
    const y = Math.floor(n / panel.per_row) * (tileHeight + gap);
    context.fillRect(x, y, tile, tileHeight);
    context.drawImage(scratch.canvas, 0, n * rows, columns, rows, x, y, tile, tileHeight);
  }
}

function drawBars(context, panel, position, { width, height }, inks) {
  const { low, high } = panel;
  const row = panel.values.row(position);
  const scale = (height - 2) / (low - high || -1);
  const [offset, factor] = panel.values.linear(1 - high * scale, scale);
  const zero = 1 - high * scale;
  const pitch = width / row.length;
  const gap = Math.min(4, pitch * 0.25);
  context.fillStyle = inks.roles[panel.role];
  for (let i = 0; i < row.length; i++) {
    const tip = offset + factor * row[i];
    context.fillRect(i * pitch + gap / 2, Math.min(tip, zero), pitch - gap, Math.abs(tip - zero));
  }
  context.fillStyle = inks.line;
  context.fillRect(0, Math.round(zero), width, 1);
}

function drawPoints(context, panel, position, { width, height }, inks) {
  const row = panel.values.row(position);
  const side = Math.min(width, height) - 8;
  const scale = side / (panel.high - panel.low || 1);
  const [left, factor] = panel.values.linear((width - side) / 2 - panel.low * scale, scale);
  const [bottom] = panel.values.linear((height - side) / 2 - panel.low * scale, scale);
  const { classes } = panel;
  context.fillStyle = inks.roles.latent;
  for (let i = 0; i < row.length / 2; i++) {
    const x = left + factor * row[2 * i];
    const y = height - (bottom + factor * row[2 * i + 1]);
    const group = classes ? classes[i] : 0;
    if (classes) context.fillStyle = inks.classes[group % inks.classes.length];
    context.beginPath();
    SHAPES[group % SHAPES.length](context, x, y);
    context.fill();
  }
}

// Groups differ in shape too, beside their neighbours.
const SHAPES = [
  (context, x, y) => context.arc(x, y, 2.6, 0, 2 * Math.PI),
  (context, x, y) => context.rect(x - 2.3, y - 2.3, 4.6, 4.6),
  (context, x, y) => {
    context.moveTo(x, y - 3.2);
    context.lineTo(x + 3, y + 2.2);
    context.lineTo(x - 3, y + 2.2);
  },
];

/* ---------------------------------------------------------------- the component */

class Scrubber {
  constructor(root) {
    this.root = root;
    this.index = 0;
    this.frames = new Frames(() => this.draw());
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
      </div>`;
    const find = (selector) => this.root.querySelector(selector);
    this.panels = find(".panels");
    this.legend = find(".legend");
    this.control = find(".control");
    this.slider = find(".slider");
    this.ticks = find(".ticks");
    this.symbol = find(".position span");
    this.value = find(".position b");
  }

  /** New panels into the same place. */
  fill() {
    const { label, names, panels } = this.scene;
    this.figures = panels.map((panel) => this.figure(panel));
    this.panels.replaceChildren(...this.figures.map((figure) => figure.element));
    this.legend.replaceChildren(...legendItems(panels));
    this.symbol.textContent = `${label} = `;
    this.slider.setAttribute("aria-label", `${label}, turns: ${panels.map((panel) => panel.title).join(", ")}`);
    this.slider.setAttribute("aria-valuemax", this.last);
    this.ticks.replaceChildren(...tickItems(names));
  }

  figure(panel) {
    const element = document.createElement("figure");
    element.className = "panel";
    element.innerHTML = `
      <figcaption><span class="title"></span><span class="caption"></span></figcaption>
      <canvas role="img"></canvas>`;
    element.querySelector(".title").textContent = panel.title;
    const canvas = element.querySelector("canvas");
    if (panel.lines) panel.byWidth = [...panel.lines].sort((a, b) => STYLES[b.role].width - STYLES[a.role].width);
    if (panel.kind === "images") prepareTiles(panel);
    if (panel.kind === "bars" || panel.kind === "points") {
      panel.low = panel.values.value(-32768);
      panel.high = panel.values.value(32767);
    }
    return { element, canvas, panel, caption: element.querySelector(".caption"), context: canvas.getContext("2d") };
  }

  /* -------- size */

  layout() {
    const width = this.panels.clientWidth;
    if (!width) return; // hidden, as in a closed tab; the observer calls again
    this.width = width;
    const { height, columns } = this.scene;
    const panels = this.figures.map((figure) => figure.panel);
    let rows = arrange(panels, width, height, columns);
    const stacked = rows.length > Math.ceil(panels.length / columns);
    const tall = stacked ? height * STACKED : height;
    if (stacked) rows = arrange(panels, width, tall, columns);
    const figures = this.figures.values();
    for (const row of rows) this.layRow(row.map((share) => [figures.next().value, share]), tall);
    this.draw();
  }

  /** Figures of one row, each with its width: pictures set the height of what stands beside them. */
  layRow(row, height) {
    const dpr = window.devicePixelRatio || 1;
    for (const [{ panel }, width] of row) if (panel.kind === "images") fitTiles(panel, { width, height }, dpr);
    const tallest = Math.max(...row.map(([{ panel }]) => panel.grid?.height ?? 0)) || height;
    let left = this.width;
    for (const [position, [figure, width]] of row.entries()) {
      const { element, canvas, context, panel, caption } = figure;
      const own = panel.grid?.height ?? tallest;
      figure.box = { width, height: own };
      // the last one takes the rest of the row, so that nothing slips in beside it
      element.style.width = `${position < row.length - 1 ? width : left}px`;
      left -= width + GAP;
      caption.parentElement.style.maxWidth = panel.captions.length ? `${panel.grid?.width ?? width}px` : "";
      canvas.style.width = `${width}px`;
      canvas.style.height = `${own}px`;
      canvas.width = Math.round(width * dpr);
      canvas.height = Math.round(own * dpr);
      context.setTransform(dpr, 0, 0, dpr, 0, 0);
    }
  }

  /* -------- frames */

  draw() {
    const name = this.scene.names[this.index];
    for (const { context, panel, box, caption } of this.figures) {
      if (!box) continue;
      context.clearRect(0, 0, box.width, box.height);
      DRAW[panel.kind](context, panel, this.index, box, this.inks);
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
      canvas.setAttribute("aria-label", `${panel.title}: ${contents(panel)} at ${at}${note}`);
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
    this.observer = new ResizeObserver(() => this.scene && this.panels.clientWidth !== this.width && this.layout());
    this.observer.observe(this.panels);
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
    this.burst.stop();
  }
}

/* ---------------------------------------------------------------- parts */

function prepareTiles(panel) {
  const [, count, rows, columns] = panel.values.shape;
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows * count;
  panel.scratch = canvas.getContext("2d");
  panel.image = panel.scratch.createImageData(columns, rows * count);
  panel.pixels = new Uint32Array(panel.image.data.buffer);
}

const tilesWide = (panel, tile, gap) => panel.per_row * (tile + gap) - gap;

/** Tiles as large as width and height allow; small pictures in whole screen pixels, so that every cell is square. */
function fitTiles(panel, box, dpr) {
  const [, count, rows, columns] = panel.values.shape;
  const lines = Math.ceil(count / panel.per_row);
  const gap = box.width / panel.per_row < 48 ? 3 : 6;
  const byWidth = (box.width - (panel.per_row - 1) * gap) / panel.per_row;
  const byHeight = ((box.height - (lines - 1) * gap) / lines) * (columns / rows);
  let tile = Math.min(byWidth, byHeight);
  const cells = (Math.floor((tile * dpr) / columns) * columns) / dpr;
  const whole = cells > 0.75 * tile;
  if (whole) tile = cells;
  const tileHeight = (tile * rows) / columns;
  const height = lines * (tileHeight + gap) - gap;
  panel.grid = { tile, tileHeight, gap, whole, width: tilesWide(panel, tile, gap), height };
}

/** Least and most width of a panel: pictures need no more than their height gives, the others take what there is. */
function needs(panel, width, height) {
  if (panel.kind !== "images") return { least: Math.min(NARROWEST.panel, width), most: Infinity };
  const [, count, rows, columns] = panel.values.shape;
  const lines = Math.ceil(count / panel.per_row);
  const most = Math.min(width, tilesWide(panel, ((height - (lines - 1) * 6) / lines) * (columns / rows), 6));
  return { least: Math.min(most, Math.max(NARROWEST.picture, tilesWide(panel, NARROWEST.tile, 3))), most };
}

/** Widths of panels, row by row: as few rows as fit, even ones where that is possible. */
function arrange(panels, width, height, columns) {
  const wants = panels.map((panel) => needs(panel, width, height));
  const fits = (row) => row.length <= columns && row.reduce((sum, { least }) => sum + least + GAP, -GAP) <= width;
  let rows = [];
  for (const want of wants) {
    if (rows.length && fits([...rows.at(-1), want])) rows.at(-1).push(want);
    else rows.push([want]);
  }
  const long = Math.ceil(wants.length / rows.length);
  const even = rows.map((_, i) => wants.slice(i * long, (i + 1) * long));
  if (even.every((row) => row.length && fits(row))) rows = even;
  if (wants.every(({ most }) => most === Infinity)) {
    const equal = (width - GAP * (rows[0].length - 1)) / rows[0].length; // in a short last row as well
    for (const want of wants) want.most = equal;
  }
  return rows.map((row) => share(row, width));
}

/** The width of a row, shared equally among all that can still use it. */
function share(row, width) {
  const widths = row.map(({ least }) => least);
  let left = row.reduce((rest, { least }) => rest - least - GAP, width + GAP);
  let open = row.map((_, i) => i);
  while (left > 0.5 && open.length) {
    const each = left / open.length;
    for (const i of open) {
      const more = Math.min(each, row[i].most - widths[i]);
      widths[i] += more;
      left -= more;
    }
    open = open.filter((i) => row[i].most - widths[i] > 0.5);
  }
  return widths.map(Math.floor);
}

function legendItems(panels) {
  const entries = new Map();
  for (const panel of panels) for (const line of panel.lines ?? []) entries.set(`${line.role}/${line.label}`, line);
  return [...entries.values()].map(({ role, label }) => {
    const item = document.createElement("li");
    const swatch = document.createElement("i");
    swatch.style.setProperty("--ink", `var(--${role})`);
    swatch.style.setProperty("--width", `${STYLES[role].width}px`);
    swatch.style.setProperty("--dash", STYLES[role].dash.length ? "dashed" : "solid");
    item.append(swatch, label);
    return item;
  });
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

function contents(panel) {
  if (panel.kind === "curves") return `curves of ${panel.lines.map((line) => line.label).join(", ")}`;
  if (panel.kind === "bars") return `${panel.values.shape[1]} bars`;
  if (panel.kind === "points") return `${panel.values.shape[1]} points`;
  const [, count, rows, columns] = panel.values.shape;
  return `${count} ${count === 1 ? "picture" : "pictures"} of ${columns} by ${rows} pixels`;
}

export default mount(Scrubber, ".scrubber");
