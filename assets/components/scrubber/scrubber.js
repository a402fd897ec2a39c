/*
 * The scrubber: every frame lies here, a handle turns them, and Python hears where the handle was left.
 *
 * Message (bytes): header length as uint32, the header as JSON, then the arrays as fixed-point integers. In each array
 * the first axis is the position; an array with one row along it stands still.
 *
 * For measuring, the root element carries `timings`, the last 256 frames drawn for a pointer, each
 * {input, started, drawn, settled} in performance.now() milliseconds: the pointer event's own timestamp, the begin and
 * end of the drawing, and the first task after that frame; and `sent`, how often a position went to Python.
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
const KEYBOARD_PAUSE = 250; // ms without a key before Python hears of it
const GAP = 28; // px between panels that stand side by side
const NARROWEST = { panel: 190, picture: 96, tile: 32 }; // px: where less is left, panels go under each other
const STACKED = 0.75; // of a panel's height once they do, so that a phone shows the frames and the handle together
const SWEEP = 1600; // ms for the one turn of all frames at first view
const KEPT_TIMINGS = 256;

const mounted = new WeakMap(); // root element -> Scrubber
const swept = new Set(); // keys that have had their sweep since the app was loaded

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".scrubber");
  if (!root || !data) return undefined;
  if (!mounted.has(root)) mounted.set(root, new Scrubber(root));
  const scrubber = mounted.get(root);
  const call = scrubber.update(data, setStateValue);
  // A call overtaken by a newer one is cleaned up after it: only the latest may take the component down.
  return () => {
    if (scrubber.call !== call) return;
    scrubber.destroy();
    mounted.delete(root);
  };
}

/* ---------------------------------------------------------------- the message */

function readMessage(bytes) {
  const copy = bytes.slice(); // typed arrays need an aligned start
  const length = new DataView(copy.buffer).getUint32(0, true);
  const scene = JSON.parse(new TextDecoder().decode(copy.subarray(4, 4 + length)));
  const base = 4 + length;
  for (const panel of scene.panels) {
    for (const holder of panel.lines ?? [panel]) holder.values = readArray(holder.values, copy.buffer, base);
    if (panel.classes) panel.classes = readArray(panel.classes, copy.buffer, base);
  }
  return scene;
}

function readArray({ at, shape, type, low, high }, buffer, base) {
  const Kind = type === "uint8" ? Uint8Array : Int16Array;
  const zero = type === "uint8" ? 0 : -32768;
  const size = shape.slice(1).reduce((a, b) => a * b, 1);
  const values = new Kind(buffer, base + at, shape[0] * size);
  const step = (high - low) / (type === "uint8" ? 255 : 65535);
  return {
    shape,
    size,
    row: (k) => values.subarray(Math.min(k, shape[0] - 1) * size, Math.min(k + 1, shape[0]) * size),
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
    context.strokeStyle = inks[line.role];
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
  context.fillStyle = inks[panel.role];
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
  const classes = panel.classes?.row(0);
  context.fillStyle = inks.latent;
  for (let i = 0; i < row.length / 2; i++) {
    const x = left + factor * row[2 * i];
    const y = height - (bottom + factor * row[2 * i + 1]);
    const group = classes ? classes[i] : 0;
    if (classes) context.fillStyle = inks.classes[group % inks.classes.length];
    context.beginPath();
    SHAPES[(group + Math.floor(group / inks.classes.length)) % SHAPES.length](context, x, y);
    context.fill();
  }
}

// With four colours, twelve groups differ in colour or shape; neighbours differ in both.
const SHAPES = [
  (context, x, y) => context.arc(x, y, 2.6, 0, 2 * Math.PI),
  (context, x, y) => context.rect(x - 2.3, y - 2.3, 4.6, 4.6),
  (context, x, y) => {
    context.moveTo(x, y - 3.2);
    context.lineTo(x + 3, y + 2.2);
    context.lineTo(x - 3, y + 2.2);
  },
];

/* ---------------------------------------------------------------- inks from the theme */

function readInks(root) {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (css) => {
    probe.clearRect(0, 0, 1, 1);
    probe.fillStyle = css;
    probe.fillRect(0, 0, 1, 1);
    return [...probe.getImageData(0, 0, 1, 1).data];
  };
  const style = () => getComputedStyle(root);
  const [r, g, b, a] = rgb(style().getPropertyValue("--st-background-color").trim() || "#fff");
  root.dataset.theme = a > 0 && 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "dark" : "light";
  const text = rgb(style().color).slice(0, 3).join(" ");
  const inks = { line: `rgb(${text} / 22%)`, faint: `rgb(${text} / 6%)`, tables: {} };
  for (const role of Object.keys(STYLES)) {
    inks[role] = role === "neutral" ? `rgb(${text})` : style().getPropertyValue(`--${role}`).trim();
    const [red, green, blue] = rgb(inks[role]);
    // RGBA words for the 256 grey values: the ink's opacity grows with the value
    const ink = (blue << 16) | (green << 8) | red;
    inks.tables[role] = Uint32Array.from({ length: 256 }, (_, value) => ((value << 24) | ink) >>> 0);
  }
  inks.classes = ["reconstruction", "input", "latent", "anomaly"].map((role) => inks[role]);
  return inks;
}

/* ---------------------------------------------------------------- the component */

class Scrubber {
  constructor(root) {
    this.root = root;
    this.call = 0;
    this.index = 0;
    this.timings = root.timings = [];
    root.sent = 0;
    this.build();
    this.listen();
  }

  /** Take a message: the same one again (any rerun of the page) only renews the way back to Python. */
  update(bytes, setStateValue) {
    this.setStateValue = setStateValue;
    const scene = readMessage(bytes);
    if (scene.digest !== this.scene?.digest) {
      const turned = scene.turn !== this.scene?.turn;
      this.scene = scene;
      if (turned) this.index = this.left = scene.start;
      this.last = scene.names.length - 1;
      this.index = Math.min(this.index, this.last);
      this.left = Math.min(this.left, this.last);
      this.fill();
    }
    this.inks = readInks(this.root);
    this.layout();
    this.describe();
    if (scene.autoplay) this.sweepOnceSeen();
    return ++this.call;
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

  /** Show a position in the next animation frame; `input` is the time of the pointer event behind it. */
  show(index, input) {
    this.index = Math.max(0, Math.min(this.last, index));
    this.input ??= input;
    this.pending ??= requestAnimationFrame(() => {
      this.pending = undefined;
      const timing = { input: this.input, started: performance.now() };
      this.input = undefined;
      this.draw();
      timing.drawn = performance.now();
      if (timing.input !== undefined) this.time(timing);
    });
  }

  time(timing) {
    const channel = new MessageChannel(); // its task comes first after the frame; a timer would wait for up to 4 ms more
    channel.port1.onmessage = () => {
      timing.settled = performance.now();
      channel.port1.close();
      this.timings.push(timing);
      if (this.timings.length > KEPT_TIMINGS) this.timings.shift();
    };
    channel.port2.postMessage(null);
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
    clearTimeout(this.timer);
    this.timer = undefined;
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
    const on = (name, handler) => this.slider.addEventListener(name, handler, { signal });
    on("pointerdown", (event) => this.grab(event));
    on("pointermove", (event) => this.held === event.pointerId && this.follow(event));
    on("pointerup", (event) => this.held === event.pointerId && this.release());
    on("pointercancel", (event) => this.held === event.pointerId && this.giveUp());
    on("keydown", (event) => this.press(event));
    on("blur", () => this.timer !== undefined && this.send());
    this.observer = new ResizeObserver(() => this.scene && this.panels.clientWidth !== this.width && this.layout());
    this.observer.observe(this.panels);
    window.addEventListener("resize", () => this.scene && this.layout(), { signal }); // a zoom has other pixels
  }

  grab(event) {
    if (event.button !== 0 || this.held !== undefined) return;
    this.stopSweep();
    this.held = event.pointerId;
    this.before = this.index;
    this.rail = this.slider.getBoundingClientRect(); // once a drag: asking in every move would force a layout
    this.slider.setPointerCapture(event.pointerId);
    this.slider.dataset.held = "";
    this.follow(event);
  }

  follow(event) {
    const share = (event.clientX - this.rail.left - 11) / (this.rail.width - 22); // 11: half the thumb
    const index = Math.max(0, Math.min(this.last, Math.round(share * this.last)));
    if (index !== this.index) this.show(index, event.timeStamp);
  }

  release() {
    this.held = undefined;
    delete this.slider.dataset.held;
    if (this.pending !== undefined) requestAnimationFrame(() => this.send()); // describe what will have been drawn
    else this.send();
  }

  /** The browser took the finger for scrolling: as if it had never touched. */
  giveUp() {
    this.held = undefined;
    delete this.slider.dataset.held;
    this.show(this.before);
  }

  press(event) {
    const page = Math.max(1, Math.round(this.last / PAGE_STEPS));
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: page, PageDown: -page };
    const target = { Home: 0, End: this.last }[event.key] ?? this.index + steps[event.key];
    if (Number.isNaN(target) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.stopSweep();
    this.show(target, event.timeStamp);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), KEYBOARD_PAUSE);
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
    cancelAnimationFrame(this.pending);
    clearTimeout(this.timer);
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
