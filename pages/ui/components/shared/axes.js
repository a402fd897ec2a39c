import { roundTimes } from "./times.js";

/* Numbered axes: where they leave room for the plot, which numbers fit, and their drawing. */

const AROUND = { top: 8, right: 14, ticks: 20, title: 16, bare: 2 }; // px
const APART = { x: 40, times: 76, y: 32 }; // px between two numbers, about

/**
 * The plot between two axes: its edges in px, `x(value)`, `y(value)`, and the numbers beside them as [value, text]. It
 * begins at `left` or further in, where the numbers need the room. Under a `bare` one another continues: its axis across
 * has lines and no numbers.
 */
export function fitAxes(context, [x, y], { width, height, font, left: least = 0, bare = false }) {
  context.font = font;
  const bottom = height - (bare ? AROUND.bare : AROUND.ticks + (x.title ? AROUND.title : 0));
  const right = width - AROUND.right;
  const up = numbers(y, (bottom - AROUND.top) / (y.apart ?? APART.y));
  const left = Math.max(least, Math.ceil(Math.max(...up.map(([, text]) => context.measureText(text).width))) + 8);
  const across = numbers(x, (right - left) / (x.temporal ? APART.times : APART.x));
  const scales = { x: scale(x, left, right), y: scale(y, bottom, AROUND.top) };
  return { left, right, bottom, top: AROUND.top, ...scales, across, up, bare };
}

export function drawAxes(context, panel, { font }, inks) {
  const { plot } = panel;
  context.font = font;
  context.fillStyle = inks.faint;
  for (const [value] of plot.across) context.fillRect(Math.round(plot.x(value)), plot.top, 1, plot.bottom - plot.top);
  for (const [value] of plot.up) context.fillRect(plot.left, Math.round(plot.y(value)), plot.right - plot.left, 1);
  context.fillStyle = inks.soft;
  context.textAlign = "center";
  context.textBaseline = "top";
  if (!plot.bare) {
    for (const [value, text] of plot.across) context.fillText(text, plot.x(value), plot.bottom + 6);
    context.fillText(panel.axes[0].title, (plot.left + plot.right) / 2, plot.bottom + AROUND.ticks + 2);
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const [value, text] of plot.up) context.fillText(text, plot.left - 6, plot.y(value));
}

function scale({ low, high, root }, from, to) {
  const bend = root ? Math.sqrt : (value) => value;
  return (value) => from + ((to - from) * (bend(value) - bend(low))) / (bend(high) - bend(low));
}

/** The axis' own names or numbers, or round ones, `most` or a few less. */
function numbers({ low, high, ticks = [], power, temporal, names }, most) {
  if (names) return names;
  if (temporal) return roundTimes({ low, high }, most);
  const least = (high - low) / Math.max(most, 1);
  const ten = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((times) => times * ten).find((s) => s >= least * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  const inside = ticks.filter((value) => value >= low - 1e-6 && value <= high + 1e-6);
  const values = ticks.length ? inside : Array.from({ length: count }, (_, n) => (first + n) * step);
  const told = (value) => String(power ? +(10 ** value).toPrecision(1) : +value.toPrecision(6)); // power: of ten
  return values.map((value) => [value, told(value).replace("-", "\u2212")]);
}
