import { drawAxes, fitAxes } from "./axes.js";

/*
 * The kinds of panels. `prepare(panel)` comes once, `fit(panel, box, context)` for every size (pictures set their own,
 * see arranging.js), `still(context, panel, box,
 * inks)` draws what no position changes, once a size; `draw(context, panel, position, box,
 * inks)` every frame; `words(panel, position)` says what is seen. A box is {width, height, font, dpr}.
 */
export const PANELS = {
  curves: { prepare: prepareCurves, fit: fitCurves, still: drawStill, draw: drawCurves, words: curvesInWords },
  waves: { prepare: prepareWaves, draw: drawWaves, words: (_, k) => `${k} waveforms` },
  images: { prepare: prepareTiles, draw: drawImages, words: imagesInWords },
  bars: { prepare: prepareRange, draw: drawBars, words: ({ values }) => `${values.shape[1]} bars` },
  points: { prepare: prepareRange, draw: drawPoints, words: ({ values }) => `${values.shape[1]} points` },
};

const STROKES = {
  input: { width: 1.4, dash: [] },
  reconstruction: { width: 3, dash: [] },
  lost: { width: 1.6, dash: [5, 4] },
  latent: { width: 2, dash: [] },
  anomaly: { width: 2, dash: [2, 3] },
  neutral: { width: 1.2, dash: [] },
};
const INSET = 2; // px that a thick line needs at the edge

/* ---------------------------------------------------------------- curves */

function prepareCurves(panel) {
  for (const line of panel.lines) {
    const usual = STROKES[line.role];
    line.width ??= usual.width;
    line.dash = (line.dash ?? usual.dash).filter((length) => length > 0);
  }
  panel.layers = [...panel.lines].sort((a, b) => b.width - a.width); // a thin one is seen on a thick one
  const moving = panel.layers.findIndex(({ values }) => values.shape[0] > 1);
  panel.stand = !panel.axes.length ? 0 : moving < 0 ? panel.layers.length : moving; // layers that are drawn once
}

function fitCurves(panel, box, context) {
  const { axes, y_range: [low, high] } = panel;
  panel.plot = axes.length
    ? fitAxes(context, axes, box)
    : { left: INSET, right: box.width - INSET, top: INSET, bottom: box.height - INSET };
  const { plot } = panel;
  plot.factor = (plot.bottom - plot.top) / (low - high); // y grows downwards
  plot.offset = plot.top - high * plot.factor;
  for (const line of panel.lines) {
    const last = Math.max(line.values.size - 1, 1);
    const at = (share) => plot.left + share * (plot.right - plot.left);
    const x = axes.length ? (share) => plot.x(axes[0].low + share * (axes[0].high - axes[0].low)) : at;
    line.x = Float32Array.from({ length: line.values.size }, (_, i) => x(i / last));
  }
}

function drawStill(context, panel, box, inks) {
  if (!panel.axes.length) return;
  drawAxes(context, panel, box, inks);
  drawLines(context, panel, panel.layers.slice(0, panel.stand), 0, inks);
}

function drawCurves(context, panel, position, { width, height }, inks) {
  const { y_range: [low, high], plot } = panel;
  if (!panel.axes.length) {
    const zero = low <= 0 && high >= 0 ? plot.offset : height - INSET;
    context.fillStyle = inks.line;
    context.fillRect(0, Math.round(zero), width, 1);
  }
  drawLines(context, panel, panel.layers.slice(panel.stand), position, inks);
  if (panel.marked) drawMark(context, panel, position, inks);
}

function drawLines(context, { plot }, lines, position, inks) {
  context.lineJoin = "round";
  for (const { values, role, width, dash, x } of lines) {
    const row = values.row(position);
    const [offset, factor] = values.linear(plot.offset, plot.factor);
    context.beginPath();
    for (let i = 0; i < row.length; i++) context.lineTo(x[i], offset + factor * row[i]);
    context.strokeStyle = inks.roles[role];
    context.lineWidth = width;
    context.setLineDash(dash);
    context.stroke();
  }
  context.setLineDash([]);
}

/** Where the handle stands: a rule, and a dot on every line. */
function drawMark(context, { plot, layers }, position, inks) {
  context.fillStyle = inks.roles.latent;
  context.fillRect(layers[0].x[position] - 1, plot.top, 2, plot.bottom - plot.top);
  for (const { values, role, width, x } of layers) {
    const [offset, factor] = values.linear(plot.offset, plot.factor);
    context.fillStyle = inks.roles[role];
    context.beginPath();
    context.arc(x[position], offset + factor * values.row(0)[position], 2.5 + width / 2, 0, 2 * Math.PI);
    context.fill();
  }
}

function curvesInWords({ lines, marked, axes }, position) {
  const here = ({ label, values }) => (marked ? `${label} ${values.value(values.row(0)[position]).toFixed(1)}` : label);
  const over = axes[0]?.title ? ` over ${axes[0].title}` : "";
  return `curves of ${lines.map(here).join(", ")}${over}`;
}

/** Entries of a legend: each stroke once. */
export function legend(panels) {
  const entries = new Map();
  for (const { lines } of panels) for (const line of lines ?? []) entries.set(`${line.role}/${line.label}`, line);
  return [...entries.values()].map(({ role, label, width, dash }) => {
    const item = document.createElement("li");
    const swatch = document.createElement("i");
    swatch.style.setProperty("--ink", `var(--${role})`);
    swatch.style.setProperty("--width", `${width}px`);
    swatch.style.setProperty("--dash", !dash.length ? "solid" : dash[0] > width * 2 ? "dashed" : "dotted");
    item.append(swatch, label);
    return item;
  });
}

/* ---------------------------------------------------------------- waves */

function prepareWaves(panel) {
  const { values } = panel;
  let reach = 0;
  panel.reach = Array.from({ length: values.shape[0] }, (_, n) => {
    for (const integer of values.row(n)) reach = Math.max(reach, Math.abs(values.value(integer)));
    return reach;
  });
}

function drawWaves(context, panel, position, { width, height }, inks) {
  if (!position) return;
  const columns = Math.ceil(Math.sqrt(position));
  const [wide, high] = [width / columns, height / Math.ceil(position / columns)];
  context.beginPath();
  for (let n = 0; n < position; n++) {
    const [offset, factor] = panel.values.linear(high * (Math.floor(n / columns) + 0.5), (-0.45 * high) / (panel.reach[position - 1] || 1));
    drawWave(context, panel.values.row(n), { left: wide * ((n % columns) + 0.05), width: 0.9 * wide, offset, factor });
  }
  context.strokeStyle = inks.roles[panel.role];
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.stroke();
}

/** One wave; where many samples share a pixel, the lowest and the highest of them, in their order. */
function drawWave(context, row, { left, width, offset, factor }) {
  const step = width / Math.max(row.length - 1, 1);
  const point = (i) => context.lineTo(left + i * step, offset + factor * row[i]);
  const together = Math.floor(1 / step);
  context.moveTo(left, offset + factor * row[0]);
  if (together < 3) for (let i = 1; i < row.length; i++) point(i);
  else for (let first = 0; first < row.length; first += together) {
    let [low, high] = [first, first];
    for (let i = first + 1; i < Math.min(first + together, row.length); i++) {
      if (row[i] < row[low]) low = i;
      if (row[i] > row[high]) high = i;
    }
    point(Math.min(low, high));
    point(Math.max(low, high));
  }
}

/* ---------------------------------------------------------------- pictures */

function prepareTiles(panel) {
  const [, count, rows, columns] = panel.values.shape;
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows * count;
  panel.scratch = canvas.getContext("2d");
  panel.image = panel.scratch.createImageData(columns, rows * count);
  panel.pixels = new Uint32Array(panel.image.data.buffer);
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

function imagesInWords({ values }) {
  const [, count, rows, columns] = values.shape;
  return `${count} ${count === 1 ? "picture" : "pictures"} of ${columns} by ${rows} pixels`;
}

/* ---------------------------------------------------------------- bars and points */

function prepareRange(panel) {
  panel.low = panel.values.value(-32768);
  panel.high = panel.values.value(32767);
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
