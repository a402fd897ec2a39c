import { drawAxes, fitAxes } from "./axes.js";
import { days, moment } from "./times.js";

/* Where the strips stand, what stays of them while a hand moves, and what follows it. Places are shares of the axis, 0..1. */

const TITLE = 14; // px above a strip's own room
const TALL = { channel: 74, score: 132, axis: 36 }; // px
const GAP = 8; // px
const APART_Y = 15; // px between two numbers of a strip
const ROOM = 4; // px between a line's extremes and its strip's edges
const STEPS_OF_TEN = [1, 2, 5]; // of every power of ten
const HEAD = 1.25; // times the highest score is the top of its axis

/* ---------------------------------------------------------------- arranging */

/** One strip a channel and the score last, each with its plot; `reach` is the highest that the score's axis must show. */
export function arrange(context, scene, { width, font }, reach) {
  const last = scene.score ? scene.channels.length : scene.channels.length - 1;
  const strips = scene.channels.map((channel) => ({ channel, title: channel.name, y: range(channel), height: TALL.channel }));
  if (scene.score) strips.push({ score: scene.score, title: "score", y: powers(scene.score, reach), height: TALL.score });
  let top = 0;
  for (const [n, strip] of strips.entries()) {
    strip.top = top + TITLE;
    if (n === last) strip.height += TALL.axis;
    strip.axes = [n === last ? titled(scene.x) : { ...scene.x, title: "" }, strip.y];
    strip.fit = (left) => fitAxes(context, strip.axes, { width, height: strip.height, font, left, bare: n < last });
    strip.plot = strip.fit(0);
    top = strip.top + strip.height + GAP;
  }
  const left = Math.max(...strips.map(({ plot }) => plot.left));
  for (const strip of strips) strip.plot = strip.fit(left);
  return { strips, left, right: strips[0].plot.right, height: top - GAP, end: strips[last] };
}

function titled({ title, ...x }) {
  return { ...x, title: x.temporal ? `${title}, ${days(x)}` : title };
}

function range(channel) {
  const [low, high] = ["measured", "rebuilt"].filter((part) => channel[part]).reduce(
    ([a, b], part) => [Math.min(a, channel[part].low), Math.max(b, channel[part].high)], [Infinity, -Infinity]);
  const room = ((high - low) * ROOM) / (TALL.channel - 2 * ROOM) || 0.5 * Math.abs(high) || 0.5;
  return { title: "", low: low - room, high: high + room, apart: APART_Y };
}

/** The score's axis in powers of ten. */
function powers({ low, high }, reach) {
  const [from, to] = [Math.log10(low), Math.log10(HEAD * Math.max(high, reach))];
  const ticks = [];
  for (let power = Math.floor(from); power <= to; power++)
    for (const n of to - from > 2.5 ? [1] : to - from > 1.2 ? [1, 3] : STEPS_OF_TEN) ticks.push(power + Math.log10(n));
  return { title: "", low: from, high: to, power: true, ticks };
}

/* ---------------------------------------------------------------- what stays */

export function paintStill(context, { strips }, scene, box, inks) {
  for (const strip of strips) {
    context.save();
    context.translate(0, strip.top);
    drawAxes(context, strip, box, inks);
    clip(context, strip.plot);
    const { normal, filled, from, to } = scene;
    if (normal.length) bands(context, strip.plot, [normal], inks.roles.normal, 0.25);
    bands(context, strip.plot, stretches(filled, 0, from, to), inks.roles.latent, 0.3);
    for (const [values, ink, thickness] of curvesOf(strip, inks)) curve(context, strip.plot, scene.at, values, ink, thickness);
    context.restore();
    caption(context, strip, strip.title, box, inks);
  }
}

function curvesOf({ channel, score }, { roles }) {
  if (score) return [[(score.powers ??= score.line.map(Math.log10)), roles.anomaly, 1.4]];
  const { measured, rebuilt } = channel;
  return [...(rebuilt ? [[rebuilt.values, roles.reconstruction, 2.8]] : []), [measured.values, roles.input, 1.1]];
}

function curve(context, plot, at, values, ink, thickness) {
  context.beginPath();
  trace(context, plot, at, values);
  context.strokeStyle = ink;
  context.lineWidth = thickness;
  context.lineJoin = "round";
  context.stroke();
}

function trace(context, plot, at, values) {
  const wide = plot.right - plot.left;
  for (let i = 0; i < at.length; i++) context.lineTo(plot.left + at[i] * wide, plot.y(values[i]));
}

function caption(context, { top, plot }, text, { font, width }, inks) {
  context.font = font.replace("11px", "12px");
  context.fillStyle = inks.text;
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText(shortened(context, text, 0.6 * (width - plot.left)), plot.left, top - TITLE + 3);
}

function shortened(context, text, most) {
  if (context.measureText(text).width <= most) return text;
  let kept = text.length;
  while (kept > 1 && context.measureText(`${text.slice(0, kept)}\u2026`).width > most) kept--;
  return `${text.slice(0, kept)}\u2026`;
}

/* ---------------------------------------------------------------- what follows the hand */

/** Stretches of bins above a level, as pairs of places: the events there. */
export function stretches(values, level, from, to) {
  const found = [];
  for (let i = 0; i < values.length; i++) {
    if (!(values[i] > level)) continue;
    const start = i;
    while (i + 1 < values.length && values[i + 1] > level) i++;
    found.push([from[start], to[i]]);
  }
  return found;
}

/** Events of the level in every channel's strip: under what stays. */
export function paintEvents(context, { strips }, events, inks) {
  for (const { top, plot } of strips.filter(({ channel }) => channel)) {
    context.save();
    context.translate(0, top);
    bands(context, plot, events, inks.roles.anomaly, 0.4);
    context.restore();
  }
}

/** A band narrower than a pixel stays in sight. */
function bands(context, plot, places, ink, opacity) {
  const wide = plot.right - plot.left;
  context.globalAlpha = opacity;
  context.fillStyle = ink;
  for (const [from, to] of places) {
    const left = plot.left + from * wide - 0.5;
    context.fillRect(left, plot.top, (to - from) * wide + 1, plot.bottom - plot.top);
  }
  context.globalAlpha = 1;
}

/** What lies above the threshold, and its dashed line. */
export function paintThreshold(context, strip, scene, level, words, box, inks) {
  const { plot, top, score } = strip;
  const line = Math.max(plot.top, Math.min(plot.bottom, plot.y(Math.log10(level))));
  context.save();
  context.translate(0, top);
  context.save();
  context.beginPath();
  context.rect(plot.left, plot.top, plot.right - plot.left, line - plot.top);
  context.clip();
  context.beginPath();
  context.moveTo(plot.left + scene.at[0] * (plot.right - plot.left), plot.bottom);
  trace(context, plot, scene.at, score.powers);
  context.lineTo(plot.right, plot.bottom);
  context.globalAlpha = 0.35;
  context.fillStyle = inks.roles.anomaly;
  context.fill();
  context.restore();
  context.beginPath();
  context.moveTo(plot.left, line);
  context.lineTo(plot.right, line);
  context.strokeStyle = inks.roles.quiet;
  context.lineWidth = 1.5;
  context.setLineDash([6, 4]);
  context.stroke();
  context.setLineDash([]);
  context.restore();
  context.font = box.font.replace("11px", "12px");
  context.textAlign = "left";
  context.textBaseline = "top";
  const after = plot.left + context.measureText("score").width + 14;
  context.fillStyle = inks.soft;
  context.fillText("dashed: ", after, top - TITLE + 3);
  const dashed = context.measureText("dashed: ").width;
  context.font = `600 ${context.font}`;
  context.fillStyle = inks.text;
  context.fillText(words, after + dashed, top - TITLE + 3);
  return top + line;
}

/** A stretch under a dragging hand, over all strips. */
export function paintStretch(context, { strips }, [from, to], ink, opacity) {
  for (const { top, plot } of strips) {
    const [left, right] = [from, to].map((place) => plot.left + place * (plot.right - plot.left));
    context.globalAlpha = opacity;
    context.fillStyle = ink;
    context.fillRect(left, top + plot.top, right - left, plot.bottom - plot.top);
    context.globalAlpha = 1;
    for (const x of [left, right]) context.fillRect(Math.round(x), top + plot.top, 1, plot.bottom - plot.top);
  }
}

/* ---------------------------------------------------------------- what a resting pointer reads */

/** Time, the channels' values and the score at a place: a rule through all strips, and numbers above them. */
export function paintReading(context, { strips, left, right, end }, scene, place, box, inks) {
  const bin = nearest(scene, place);
  const at = scene.from[bin];
  const x = left + at * (right - left);
  context.fillStyle = inks.soft;
  const [first, last] = [strips[0].top + strips[0].plot.top, end.top + end.plot.bottom];
  context.fillRect(Math.round(x), first, 1, last - first);
  context.textBaseline = "top";
  context.textAlign = "right";
  context.font = box.font.replace("11px", "12px");
  for (const { channel, score, plot, top } of strips) {
    context.fillStyle = inks.text;
    context.fillText(score ? valueOf(score.line, scene, bin, precise) : readingOf(channel, scene, bin), plot.right, top - TITLE + 3);
  }
  tag(context, whenOf(scene.x, at, right - left), x, end, { ...box, left, right }, inks);
}

/** The bin under a place: of few rows the nearest one. */
export function nearest({ from, at }, place) {
  let [low, high] = [0, from.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (from[middle] <= place) low = middle;
    else high = middle - 1;
  }
  const raw = at.length === from.length;
  return raw && low + 1 < from.length && from[low + 1] - place < place - from[low] ? low + 1 : low;
}

function readingOf({ measured, rebuilt }, scene, bin) {
  const told = (value) => reading(value, measured.high - measured.low);
  const value = valueOf(measured.values, scene, bin, told);
  return rebuilt ? `${value}, rebuilt ${told(rebuilt.values[bin])}` : value;
}

/** A bin's value, or from its lowest to its highest. */
function valueOf(values, { at, from }, bin, told) {
  if (at.length === from.length) return told(values[bin]);
  const [a, b] = [values[2 * bin], values[2 * bin + 1]];
  const [low, high] = [told(Math.min(a, b)), told(Math.max(a, b))];
  return low === high ? low : `${low} to ${high}`;
}

/** As many digits as a range needs. */
function reading(value, range) {
  if (Math.abs(value) >= 1e9) return precise(value);
  const digits = Math.max(0, Math.min(9, Math.ceil(2.5 - Math.log10(range || 1))));
  return value.toFixed(digits).replace("-", "\u2212");
}

export function precise(value) {
  return String(+value.toPrecision(3)).replace("-", "\u2212");
}

function whenOf(axis, place, wide) {
  const { low, high, title, temporal, whole } = axis;
  const value = low + place * (high - low);
  if (temporal) return moment(value, (high - low) / wide);
  if (whole) return `${title} ${Math.round(value).toLocaleString("en")}`;
  return `${reading(value, (high - low) / 3)} ${/\[(.+)\]/.exec(title)?.[1] ?? ""}`;
}

/** Text over the axis' numbers, at a place of the pointer. */
function tag(context, text, x, { top, plot }, { left, right, font }, inks) {
  context.font = `600 ${font}`;
  const half = context.measureText(text).width / 2 + 6;
  const middle = Math.max(left + half - 20, Math.min(right + 14 - half, x));
  context.fillStyle = inks.paper;
  context.fillRect(middle - half, top + plot.bottom + 2, 2 * half, 18);
  context.fillStyle = inks.text;
  context.textAlign = "center";
  context.fillText(text, middle, top + plot.bottom + 6);
}

function clip(context, plot) {
  context.beginPath();
  context.rect(plot.left, plot.top - 2, plot.right - plot.left, plot.bottom - plot.top + 4);
  context.clip();
}
