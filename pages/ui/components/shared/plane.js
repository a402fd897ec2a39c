/*
 * A plane of codes: what stands still under the pointer is drawn once to a canvas of its own (holes, circles of the
 * standard normal, points, class names, marks), so that a frame costs no more than what moves.
 */

const DOT = 2.2; // px: 10,000 of them stay points
const HOLE_FROM = 1; // distance to the nearest real datum, as a share of what held-out real data have
const CIRCLES = [1, 2, 3];

export class Plane {
  /** `pad`: {codes [2N], labels [N], names, holes?: {values, size}, mark?, paths} in the units of `span`. */
  constructor(pad, span) {
    this.pad = pad;
    this.span = span;
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.context = this.canvas.getContext("2d");
    this.middles = middles(pad);
  }

  resize(side, dpr) {
    this.side = side;
    this.canvas.style.width = this.canvas.style.height = `${side}px`;
    this.canvas.width = this.canvas.height = Math.round(side * dpr);
    this.context.setTransform(this.canvas.width / side, 0, 0, this.canvas.width / side, 0, 0);
  }

  x(value) {
    return ((value + this.span) / (2 * this.span)) * this.side;
  }

  y(value) {
    return ((this.span - value) / (2 * this.span)) * this.side;
  }

  /** Units of the plane for a place on the screen, within the plane. */
  at(clientX, clientY, box) {
    const inside = (share) => Math.max(-1, Math.min(1, 2 * share - 1)) * this.span;
    return [inside((clientX - box.left) / box.width), -inside((clientY - box.top) / box.height)];
  }

  draw(inks) {
    const { context, side } = this;
    context.clearRect(0, 0, side, side);
    if (this.pad.holes) this.drawHoles(inks);
    this.drawCircles(inks);
    this.drawPoints(inks);
    this.drawNames(inks);
    for (const [n, path] of this.pad.paths.entries()) this.drawPath(path, n, inks);
    if (this.pad.mark) this.drawEllipse(context, this.pad.mark, inks.roles.input, inks.paper);
  }

  drawHoles(inks) {
    const { values, size } = this.pad.holes;
    const scratch = document.createElement("canvas");
    scratch.width = scratch.height = size;
    const image = new ImageData(size, size);
    const pixels = new Uint32Array(image.data.buffer);
    const table = inks.tables.anomaly;
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const beyond = values[row * size + column] - HOLE_FROM;
        const share = Math.max(0, Math.min(1, (beyond + 0.04) / 0.08)) * (0.26 + 0.3 * Math.min(1, Math.max(0, beyond)));
        pixels[(size - 1 - row) * size + column] = table[Math.round(255 * share)]; // row 0 is the lowest
      }
    }
    scratch.getContext("2d").putImageData(image, 0, 0);
    this.context.imageSmoothingQuality = "high";
    this.context.drawImage(scratch, 0, 0, this.side, this.side);
  }

  drawCircles(inks) {
    const { context } = this;
    context.strokeStyle = context.fillStyle = inks.line;
    context.lineWidth = 1;
    for (const radius of CIRCLES.filter((r) => r < this.span)) {
      context.beginPath();
      context.arc(this.x(0), this.y(0), (radius / (2 * this.span)) * this.side, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  drawPoints(inks) {
    const { context, pad, side, span } = this;
    const { codes, labels } = pad;
    const scale = side / (2 * span);
    const dot = labels.length > 4000 ? DOT : DOT + 1;
    context.globalAlpha = labels.length > 4000 ? 0.5 : 0.75;
    for (let i = 0; i < labels.length; i++) {
      const x = (codes[2 * i] + span) * scale;
      const y = (span - codes[2 * i + 1]) * scale;
      if (x < 0 || y < 0 || x > side || y > side) continue;
      context.fillStyle = inks.classes[labels[i] % inks.classes.length];
      context.fillRect(x - dot / 2, y - dot / 2, dot, dot);
    }
    context.globalAlpha = 1;
  }

  drawNames(inks) {
    const { context, side } = this;
    context.font = `600 ${side < 260 ? 11 : 14}px ${getComputedStyle(this.canvas).fontFamily || "sans-serif"}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    for (const { label, name, x, y } of this.middles) {
      if (Math.abs(x) > this.span || Math.abs(y) > this.span) continue;
      const half = context.measureText(name).width / 2 + 3;
      const left = Math.max(half, Math.min(side - half, this.x(x)));
      context.lineWidth = 4;
      context.strokeStyle = inks.paper;
      context.strokeText(name, left, this.y(y));
      context.fillStyle = inks.classes[label % inks.classes.length];
      context.fillText(name, left, this.y(y));
    }
  }

  drawPath(path, n, inks) {
    const { context } = this;
    for (const [colour, width] of [[inks.paper, 5], [inks.roles.latent, 2.5]]) {
      context.beginPath();
      for (let i = 0; i < path.length; i += 2) context.lineTo(this.x(path[i]), this.y(path[i + 1]));
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.setLineDash(n && width < 4 ? [6, 4] : []);
      context.stroke();
    }
    context.setLineDash([]);
  }

  /** Mean as a cross, spread as ellipses of one and two standard deviations. */
  drawEllipse(context, { mu, sigma }, ink, paper) {
    const [x, y] = [this.x(mu[0]), this.y(mu[1])];
    const scale = this.side / (2 * this.span);
    for (const [colour, width] of [[paper, 5], [ink, 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(x - 5, y);
      context.lineTo(x + 5, y);
      context.moveTo(x, y - 5);
      context.lineTo(x, y + 5);
      for (const times of sigma[0] > 0 ? [1, 2] : []) {
        context.moveTo(x + times * sigma[0] * scale, y);
        context.ellipse(x, y, times * sigma[0] * scale, times * sigma[1] * scale, 0, 0, 2 * Math.PI);
      }
      context.stroke();
    }
  }

  /** Class name of the code nearest to a place. */
  nearest(x, y) {
    const { codes, labels, names } = this.pad;
    let [best, least] = [-1, Infinity];
    for (let i = 0, n = labels.length; i < n; i++) {
      const across = codes[2 * i] - x;
      const up = codes[2 * i + 1] - y;
      const distance = across * across + up * up;
      if (distance < least) [best, least] = [i, distance];
    }
    return best < 0 ? "" : names[labels[best]];
  }
}

/** Where each class's name stands: the median of its codes. */
function middles({ codes, labels, names }) {
  const found = [];
  for (const [label, name] of names.entries()) {
    const [xs, ys] = [[], []];
    for (let i = 0; i < labels.length; i++) {
      if (labels[i] !== label) continue;
      xs.push(codes[2 * i]);
      ys.push(codes[2 * i + 1]);
    }
    const middle = (all) => all.sort((a, b) => a - b)[all.length >> 1];
    if (xs.length) found.push({ label, name, x: middle(xs), y: middle(ys) });
  }
  return found;
}

/** A picture in an ink whose opacity is the value; one canvas pixel a value, enlarged by the style sheet. */
export class Picture {
  constructor(rows, columns) {
    this.canvas = document.createElement("canvas");
    this.canvas.width = columns;
    this.canvas.height = rows;
    this.context = this.canvas.getContext("2d");
    this.image = new ImageData(columns, rows);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  draw(values, table) {
    const { pixels } = this;
    for (let i = 0; i < pixels.length; i++) {
      const value = values[i];
      pixels[i] = table[value <= 0 ? 0 : value >= 1 ? 255 : (value * 255 + 0.5) | 0];
    }
    this.context.putImageData(this.image, 0, 0);
  }
}
