import { drawAxes, fitAxes } from "./axes.js";
import { Frames, mount, resize } from "./hand.js";
import { readInks } from "./inks.js";
import { readMessage, toNumbers } from "./message.js";

/*
 * Figures under one another on canvases, their axes in line: curves over an axis, rows of coloured stretches, sheets of
 * small pictures. A message that changes redraws them where they stand. What lies under the pointer is written beside it.
 */

const ROW = { label: 15, bar: 16, gap: 6 }; // px
const BAR = { each: 22, high: 17 }; // px
const TIP = { line: 15, pad: 6, apart: 12 }; // px
const SHORTEST = 0.78; // of a figure's height on a narrow screen

/* `read(figure, array)` once a message; `axes` and `height(figure, width)` where to draw; `draw(context, figure, box,
 * inks)`; `under(figure, box, x, y)`: the lines of text about a place, the first of them its title, and a mark's place. */
const FIGURES = {
  curves: { read: readCurves, draw: drawPlot, under: curvesUnder, height: ({ height }, width) => (width < 480 ? SHORTEST : 1) * height },
  bars: { read: () => {}, draw: drawBars, under: barUnder, height: ({ values }) => values.length * BAR.each + 44 },
  stretches: { read: readStretches, draw: drawStretches, under: stretchUnder, height: ({ rows }) => rows.length * (ROW.label + ROW.bar + ROW.gap) + 44 },
  words: { read: () => {}, place: placeWords, draw: () => {}, under: () => undefined, height: () => 0 },
  facts: { read: () => {}, place: placeFacts, draw: () => {}, under: () => undefined, height: () => 0 },
  sheet: { read: readSheet, draw: drawSheet, under: () => undefined, height: sheetHeight },
};

class Plots {
  constructor(root) {
    this.root = root;
    this.frames = new Frames(() => this.draw());
    this.leaving = new AbortController();
    this.figures = [];
    this.observer = new ResizeObserver(() => this.scene && root.clientWidth !== this.width && this.layout());
    this.observer.observe(root);
    window.addEventListener("resize", () => this.scene && this.layout(), { signal: this.leaving.signal }); // a zoom
  }

  update(bytes) {
    const { scene, array } = readMessage(bytes);
    const inks = readInks(this.root);
    if (scene.digest === this.scene?.digest && inks === this.inks) return;
    Object.assign(this, { scene, inks });
    this.figures = scene.figures.map((figure, n) => {
      FIGURES[figure.kind].read(figure, array);
      return this.place(figure, this.figures[n] ?? this.build());
    });
    const elements = this.figures.map(({ element }) => element);
    if (elements.length !== this.root.children.length || elements.some((one) => one.parentElement !== this.root))
      this.root.replaceChildren(...elements);
    this.layout();
  }

  build() {
    const element = document.createElement("figure");
    element.className = "plot";
    element.innerHTML = `<figcaption><span class="unit"></span><ul class="legend" aria-hidden="true"></ul></figcaption><canvas role="img"></canvas><div class="told"></div>`;
    const [unit, legend, canvas, told] = ["span", "ul", "canvas", "div"].map((name) => element.querySelector(name));
    const place = { element, unit, legend, canvas, told, context: canvas.getContext("2d") };
    const { signal } = this.leaving;
    const point = (at) => {
      place.at = at;
      this.frames.ask();
    };
    canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => point([offsetX, offsetY]), { signal });
    for (const name of ["pointerleave", "pointercancel"]) canvas.addEventListener(name, () => point(), { signal });
    return place;
  }

  place(figure, place) {
    place.figure = figure;
    place.canvas.setAttribute("aria-label", figure.alt);
    if (place.unit.textContent !== figure.unit) place.unit.textContent = figure.unit;
    const entries = JSON.stringify([figure.legend, this.inks.theme]);
    if (entries !== place.entries) place.legend.replaceChildren(...figure.legend.map((entry) => item(entry, this.inks)));
    place.entries = entries;
    place.canvas.hidden = figure.kind in { words: 0, facts: 0 };
    place.told.hidden = !place.canvas.hidden;
    FIGURES[figure.kind].place?.(figure, place.told);
    return place;
  }

  layout() {
    const width = this.root.clientWidth;
    if (!width) return; // hidden; the observer calls again
    this.width = width;
    const dpr = window.devicePixelRatio || 1;
    const font = `11px ${getComputedStyle(this.root).fontFamily}`;
    const fit = (place, left) => {
      const height = Math.round(FIGURES[place.figure.kind].height(place.figure, width));
      place.box = { width, height, font, dpr, left };
      if (place.figure.axes) place.figure.plot = fitAxes(place.context, place.figure.axes, place.box);
    };
    for (const place of this.figures) fit(place, 0);
    const left = Math.max(0, ...this.figures.map(({ figure }) => figure.plot?.left ?? 0));
    for (const place of this.figures) {
      fit(place, left); // axes under one another begin in line
      place.canvas.style.width = `${width}px`;
      place.canvas.style.height = `${place.box.height}px`;
      resize(place.canvas, place.box);
    }
    this.draw();
  }

  draw() {
    for (const { context, figure, box, at } of this.figures) {
      if (!box) continue;
      context.clearRect(0, 0, box.width, box.height);
      FIGURES[figure.kind].draw(context, figure, box, this.inks);
      const under = at && FIGURES[figure.kind].under(figure, ...at);
      if (under) drawTip(context, under, at, box, this.inks);
    }
  }

  destroy() {
    this.leaving.abort();
    this.observer.disconnect();
    this.frames.stop();
  }
}

/* ---------------------------------------------------------------- curves */

function readCurves(figure, array) {
  figure.x = array(figure.x);
  for (const curve of figure.curves) curve.values = toNumbers(array(curve.values), curve.values);
  figure.layers = [...figure.curves].sort((a, b) => b.width - a.width); // a thin one is seen on a thick one
  figure.legend = figure.curves;
}

function drawPlot(context, figure, box, inks) {
  const { plot, x, layers, marks } = figure;
  drawAxes(context, figure, box, inks);
  context.save();
  context.beginPath();
  context.rect(plot.left, plot.top - 2, plot.right - plot.left, plot.bottom - plot.top + 4);
  context.clip();
  for (const mark of marks) rule(context, plot.x(mark), plot, inks.soft, [2, 3]);
  context.lineJoin = "round";
  for (const { values, ink, width, dash } of layers) {
    context.beginPath();
    for (let i = 0; i < x.length; i++) context.lineTo(plot.x(x[i]), plot.y(values[i]));
    context.strokeStyle = colourOf(ink, inks);
    context.lineWidth = width;
    context.setLineDash(dash);
    context.stroke();
  }
  context.restore();
}

function curvesUnder({ plot, x, curves, axes }, at) {
  if (at < plot.left || at > plot.right) return undefined;
  let nearest = 0;
  for (let i = 1; i < x.length; i++) if (Math.abs(plot.x(x[i]) - at) < Math.abs(plot.x(x[nearest]) - at)) nearest = i;
  const [across, up] = axes.map(({ power }) => (value) => told(power ? 10 ** value : value));
  const lines = curves.map(({ name, ink, values }) => ({ text: `${name} ${up(values[nearest])}`, ink }));
  return { title: `${across(x[nearest])} ${axes[0].title}`, lines, plot, mark: plot.x(x[nearest]) };
}

/* ---------------------------------------------------------------- bars */

function drawBars(context, figure, box, inks) {
  drawAxes(context, figure, box, inks);
  const { plot, values, ink } = figure;
  context.fillStyle = colourOf(ink, inks);
  for (const [n, value] of values.entries())
    context.fillRect(plot.left, plot.y(n + 0.5) - BAR.high / 2, plot.x(value) - plot.left, BAR.high);
}

function barUnder({ plot, values, axes, ink }, at, y) {
  const n = Math.floor(((y - plot.top) / (plot.bottom - plot.top)) * values.length);
  if (!(n in values)) return undefined;
  return { title: axes[1].names[n][1], lines: [{ text: `${told(values[n])} ${axes[0].title}`, ink }] };
}

/* ---------------------------------------------------------------- stretches */

function readStretches(figure, array) {
  figure.edges = array(figure.edges);
  for (const row of figure.rows) row.classes = array(row.classes);
}

function drawStretches(context, { plot, rows, edges, axes }, box, inks) {
  drawAxes(context, { plot: { ...plot, up: [] }, axes }, box, inks);
  context.textAlign = "left";
  context.textBaseline = "top";
  for (const [n, { name, classes }] of rows.entries()) {
    const top = plot.top + n * (ROW.label + ROW.bar + ROW.gap);
    context.fillStyle = inks.soft;
    context.fillText(name, plot.left, top);
    for (let i = 0; i < classes.length; i++) {
      const [from, to] = [Math.round(plot.x(edges[i])), Math.round(plot.x(edges[i + 1]))];
      context.fillStyle = inks.classes[classes[i] % inks.classes.length];
      context.fillRect(from, top + ROW.label, to - from, ROW.bar);
    }
  }
}

function stretchUnder({ plot, rows, edges, axes }, at, y) {
  const row = rows[Math.floor((y - plot.top) / (ROW.label + ROW.bar + ROW.gap))];
  if (!row) return undefined;
  for (let i = 0; i < row.classes.length; i++) {
    if (plot.x(edges[i]) > at || at >= plot.x(edges[i + 1])) continue;
    const when = `${told(edges[i])} to ${told(edges[i + 1])} ${axes[0].title}`;
    return { title: row.name, lines: [{ text: `${row.names[row.classes[i]]}, ${when}`, ink: row.classes[i] }] };
  }
  return undefined;
}

/* ---------------------------------------------------------------- sheets of pictures */

function readSheet(figure, array) {
  figure.pixels = array(figure.pixels);
}

/** CSS px for each value: whole screen pixels where there is room, so that every value is square. */
function cell({ shape, most }, width) {
  const [dpr, side] = [window.devicePixelRatio || 1, Math.min(most, width / shape[1])];
  return Math.floor(side * dpr) >= 2 ? Math.floor(side * dpr) / dpr : side;
}

function sheetHeight(figure, width) {
  return figure.shape[0] * cell(figure, width);
}

function drawSheet(context, figure, { width, height }, inks) {
  const [rows, columns] = figure.shape;
  const canvas = (figure.scratch ??= Object.assign(document.createElement("canvas"), { width: columns, height: rows }));
  const image = new ImageData(columns, rows);
  const words = new Uint32Array(image.data.buffer);
  const table = inks.tables[figure.ink];
  for (let i = 0; i < words.length; i++) words[i] = table[figure.pixels[i]];
  canvas.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = cell(figure, width) < 2;
  context.drawImage(canvas, 0, 0, columns * cell(figure, width), height);
}

/* ---------------------------------------------------------------- words */

/** Paragraphs of [text, whether it is bold]; only what changes is written. */
function placeWords({ lines, list }, told) {
  const written = JSON.stringify([lines, list]);
  if (told.dataset.written === written) return;
  told.dataset.written = written;
  const paragraphs = lines.map((parts) => {
    const paragraph = document.createElement(list ? "li" : "p");
    paragraph.append(...parts.map(([text, bold]) => (bold ? Object.assign(document.createElement("b"), { textContent: text }) : text)));
    return paragraph;
  });
  const holder = document.createElement(list ? "ul" : "div");
  holder.append(...paragraphs);
  told.replaceChildren(holder);
}

/** Numbers side by side, each with its name above it and what to hold it against below. */
function placeFacts({ facts }, told) {
  const written = JSON.stringify(facts);
  if (told.dataset.written === written) return;
  told.dataset.written = written;
  told.replaceChildren(Object.assign(document.createElement("dl"), { className: "facts" }));
  told.firstChild.append(...facts.map((fact) => {
    const group = document.createElement("div");
    for (const [n, name] of ["dt", "dd", "dd"].entries())
      group.append(Object.assign(document.createElement(name), { textContent: fact[n], className: ["name", "value", "beside"][n] }));
    return group;
  }));
}

/* ---------------------------------------------------------------- parts */

/** A class by its number, a role by its name, or a colour as it is. */
function colourOf(ink, inks) {
  return typeof ink === "number" ? inks.classes[ink % inks.classes.length] : (inks.roles[ink] ?? ink);
}

function told(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3).replace("-", "\u2212");
}

function rule(context, x, plot, colour, dash) {
  context.beginPath();
  context.moveTo(Math.round(x) + 0.5, plot.top);
  context.lineTo(Math.round(x) + 0.5, plot.bottom);
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.setLineDash(dash);
  context.stroke();
  context.setLineDash([]);
}

/** What lies under the pointer, in a box beside it. */
function drawTip(context, { title, lines, plot, mark }, [x, y], { width, height }, inks) {
  if (plot) rule(context, mark, plot, inks.soft, []);
  const wide = Math.max(...[title, ...lines.map(({ text }) => text)].map((text) => context.measureText(text).width));
  const [w, h] = [wide + 2 * TIP.pad + TIP.apart, (lines.length + 1) * TIP.line + TIP.pad];
  const left = x + TIP.apart + w < width ? x + TIP.apart : Math.max(0, x - TIP.apart - w);
  const top = Math.max(0, Math.min(height - h, y - h / 2));
  context.fillStyle = inks.paper;
  context.fillRect(left, top, w, h);
  context.strokeStyle = inks.line;
  context.strokeRect(left + 0.5, top + 0.5, w - 1, h - 1);
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillStyle = inks.soft;
  context.fillText(title, left + TIP.pad, top + TIP.pad);
  for (const [n, { text, ink }] of lines.entries()) {
    const line = top + TIP.pad + (n + 1) * TIP.line;
    context.fillStyle = colourOf(ink, inks);
    context.fillRect(left + TIP.pad, line + 1, 7, 9);
    context.fillStyle = inks.text;
    context.fillText(text, left + TIP.pad + TIP.apart, line);
  }
}

function item({ name, ink, width, dash }, inks) {
  const entry = document.createElement("li");
  const thick = width ?? 8;
  entry.innerHTML = `<svg width="${width ? 26 : 10}" height="10"><line x1="0" x2="26" y1="5" y2="5"/></svg><span></span>`;
  const line = entry.querySelector("line");
  for (const [key, value] of Object.entries({ stroke: colourOf(ink, inks), "stroke-width": thick, "stroke-dasharray": (dash ?? []).join(" ") }))
    line.setAttribute(key, value);
  entry.querySelector("span").textContent = name;
  return entry;
}

export default mount(Plots, ".plots");
