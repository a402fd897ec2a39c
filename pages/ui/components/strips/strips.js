import { Burst, Figure, Frames, claim, hold, mount, resize } from "./hand.js";
import { readInks } from "./inks.js";
import { readMessage } from "./message.js";
import { shelfOf } from "./shelf.js";
import { arrange, paintEvents, paintReading, paintStill, paintStretch, paintThreshold, precise, stretches } from "./painting.js";

/*
 * Strips of channels over one axis, the score below them, and the threshold as a line to be moved: by mouse or finger, or
 * by keys. Line, shading and number of events follow in the same frame. A stretch dragged over the strips goes to Python,
 * and so does the level at which the line was left.
 *
 * For measuring, the root element carries `timings`, the last frames drawn for a pointer (see hand.js), `level` and
 * `events`, the stretches shaded as shares of the axis, and `sent`, how often something went to Python.
 */

const STEP = 5; // levels for an arrow key; one with Shift
const PAGE = 20;
const LEAST = 5; // px; a shorter drag was a click

class Strips extends Figure {
  constructor(root) {
    super();
    this.root = root;
    this.frames = new Frames(() => this.draw());
    this.burst = new Burst(() => this.send());
    this.turn = 0;
    root.timings = this.frames.timings;
    root.sent = 0;
    root.innerHTML = `
      <canvas role="img"></canvas>
      <div class="line" role="slider" tabindex="0" aria-orientation="vertical" aria-label="Threshold" hidden><i></i></div>
      <div class="told" aria-live="polite"></div>`;
    this.told = root.querySelector(".told");
    this.canvas = root.querySelector("canvas");
    this.context = this.canvas.getContext("2d");
    this.line = root.querySelector(".line");
    this.still = document.createElement("canvas");
    this.listen();
  }

  /** Take a message: what is drawn, and for whom. */
  update(bytes, setStateValue) {
    this.setStateValue = setStateValue;
    this.message = readMessage(bytes).scene;
    this.canvas.setAttribute("aria-label", this.message.words);
    this.stand();
    this.show();
  }

  /** Take the level that Python names, unless the hand has moved the line meanwhile. */
  stand() {
    const standing = shelfOf("standing").standing.get(this.message?.key);
    const moving = this.held === "level" || this.burst.timer !== undefined;
    if (!standing || standing === this.stood || moving || standing.heard < this.turn) return;
    this.stood = standing;
    const { threshold, count } = standing;
    const paragraphs = standing.told.map((text) => Object.assign(document.createElement("p"), { textContent: text }));
    this.told.replaceChildren(...paragraphs);
    this.level = threshold === null ? undefined : { value: Math.fround(threshold), count };
  }

  /** Take the scene from the shelf, once it lies there. */
  show() {
    const scene = shelfOf("scenes").scenes.get(this.message?.scene) ?? this.scene;
    if (!scene) return;
    const inks = readInks(this.root);
    const reach = this.held === "level" ? this.reach : this.reachOf(scene);
    const same = scene === this.scene && inks === this.inks && reach === this.reach;
    Object.assign(this, { scene, inks, reach });
    this.line.hidden = !scene.score || !this.level;
    if (!this.line.hidden) this.name();
    if (same) this.frames.ask();
    else this.layout();
  }

  /** How far the score's axis reaches for a level beyond all scores: in steps, or it would move with the line. */
  reachOf({ score }) {
    const level = score ? this.level?.value : 0;
    return level > score?.high ? 2 ** Math.ceil(Math.log2(level)) : 0;
  }

  /* -------- size */

  layout() {
    const width = this.root.clientWidth;
    if (!width || !this.scene) return; // hidden, as in a closed tab; the observer calls again
    const font = `11px ${getComputedStyle(this.root).fontFamily}`;
    this.stage = arrange(this.context, this.scene, { width, font }, this.reach);
    this.box = { width, height: this.stage.height, font, dpr: window.devicePixelRatio || 1 };
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${this.box.height}px`;
    resize(this.canvas, this.box);
    resize(this.still, this.box);
    const context = this.still.getContext("2d");
    context.clearRect(0, 0, width, this.box.height);
    paintStill(context, this.stage, this.scene, this.box, this.inks);
    this.line.style.left = `${this.stage.left}px`;
    this.line.style.width = `${width - this.stage.left}px`;
    this.draw();
  }

  /* -------- frames */

  draw() {
    const { context, stage, scene, box, inks, level } = this;
    if (!stage) return;
    context.clearRect(0, 0, box.width, box.height);
    if (scene.score && level) {
      this.root.events = stretches(scene.score.joined, level.value, scene.from, scene.to);
      this.root.level = level;
      paintEvents(context, stage, this.root.events, inks);
    }
    context.drawImage(this.still, 0, 0, box.width, box.height);
    if (scene.score && level) {
      const words = `threshold ${precise(level.value)}, ${this.counted()}`;
      const at = paintThreshold(context, stage.strips.at(-1), scene, level.value, words, box, inks);
      this.line.style.transform = `translateY(${at}px)`;
    }
    const marks = this.message.marks;
    if (this.stretch) paintStretch(context, stage, this.stretch, marks ? inks.roles.normal : inks.text, marks ? 0.4 : 0.12);
    if (this.place !== undefined) paintReading(context, stage, scene, this.place, box, inks);
  }

  counted() {
    return this.level.count === 0 ? "no event" : this.level.count === 1 ? "1 event" : `${this.level.count.toLocaleString("en")} events`;
  }

  /** The level in words; renewed when the hand rests, so that a reader is not flooded. */
  name() {
    const { names } = this.scene.score;
    const { place, between } = this.standing();
    const now = { valuemin: 0, valuemax: names.length - 1, valuenow: Math.min(place, names.length - 1) };
    for (const [name, text] of Object.entries(now)) this.line.setAttribute(`aria-${name}`, text);
    const own = between ? "" : `, ${names[place]}`;
    this.line.setAttribute("aria-valuetext", `threshold ${precise(this.level.value)}${own}, ${this.counted()}`);
  }

  /** The lowest of the levels that is not below the threshold, and whether it lies between two. */
  standing() {
    const { levels } = this.scene.score;
    const place = levels.findIndex((level) => level >= this.level.value);
    return { place: place < 0 ? levels.length : place, between: levels[place] !== this.level.value };
  }

  /** Put the line on one of its levels; `input` is the time of the event behind it. */
  put(place, input) {
    const { levels, counts } = this.scene.score;
    place = Math.max(0, Math.min(levels.length - 1, place));
    this.level = { value: levels[place], count: counts[place] };
    this.frames.ask(input);
  }

  /** The level nearest to a height in the score's strip. */
  levelAt(y) {
    const { plot, y: axis } = this.stage.strips.at(-1);
    const power = axis.low + ((plot.bottom - Math.max(plot.top, Math.min(plot.bottom, y))) / (plot.bottom - plot.top)) * (axis.high - axis.low);
    const { levels } = this.scene.score;
    let best = 0;
    for (let k = 1; k < levels.length; k++)
      if (Math.abs(Math.log10(levels[k]) - power) < Math.abs(Math.log10(levels[best]) - power)) best = k;
    return best;
  }

  /* -------- to Python */

  send() {
    this.burst.stop();
    this.name();
    const reach = this.reachOf(this.scene);
    if (reach !== this.reach) {
      this.reach = reach;
      this.layout();
    }
    this.tell("level", { index: this.standing().place });
  }

  /** Every message has a number of its own, rising even where the component is mounted anew. */
  tell(what, value) {
    this.root.sent += 1;
    const turn = Math.max(Date.now(), this.turn + 1);
    if (what === "level") this.turn = turn;
    this.setStateValue(what, { turn, ...value });
  }

  /* -------- the hand */

  listen() {
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    hold(this.root, this, signal);
    this.line.addEventListener("keydown", (event) => this.press(event), { signal });
    this.line.addEventListener("blur", () => this.burst.end(), { signal });
    const point = (place) => {
      this.place = place;
      this.frames.ask();
    };
    this.canvas.addEventListener("pointermove", (event) => this.held !== "level" && point(this.share(event.offsetX)), { signal });
    for (const name of ["pointerleave", "pointercancel"]) this.canvas.addEventListener(name, () => point(), { signal });
    this.observer = new ResizeObserver(() => this.scene && this.root.clientWidth !== this.box?.width && this.layout());
    this.observer.observe(this.root);
    window.addEventListener("resize", () => this.layout(), { signal }); // a zoom has other pixels
    shelfOf("scenes").addEventListener("shelved", () => this.show(), { signal });
    shelfOf("standing").addEventListener("shelved", () => {
      this.stand();
      this.show();
    }, { signal });
  }

  /** Share of the axis at a place of the canvas. */
  share(x) {
    const { left, right } = this.stage ?? { left: 0, right: 1 };
    return Math.max(0, Math.min(1, (x - left) / (right - left)));
  }

  grab(event) {
    if (!this.stage) return undefined;
    this.rail = this.canvas.getBoundingClientRect(); // once a drag: asking in every move would force a layout
    const strip = this.stage.strips.at(-1);
    if (this.line.contains(event.target)) {
      this.held = "level";
      this.before = this.level;
      const line = strip.plot.y(Math.log10(this.level.value));
      this.grip = event.clientY - this.rail.top - strip.top - Math.max(strip.plot.top, Math.min(strip.plot.bottom, line));
      this.origin = undefined;
      this.place = undefined;
      this.root.dataset.held = "";
      return this.line;
    }
    const x = event.clientX - this.rail.left;
    if (event.target !== this.canvas || x < this.stage.left - LEAST || x > this.stage.right + LEAST) return undefined;
    this.held = "stretch";
    this.from = this.share(x);
    return this.canvas;
  }

  follow(event) {
    if (this.held === "level") {
      const y = event.clientY - this.rail.top - this.stage.strips.at(-1).top - this.grip;
      const place = this.levelAt(y);
      this.origin ??= place; // a touch alone moves nothing, even where the line lies between two levels
      const moved = place !== this.origin || this.level !== this.before;
      if (moved && this.scene.score.levels[place] !== this.level.value) this.put(place, event.timeStamp);
      return;
    }
    const to = this.share(event.clientX - this.rail.left);
    this.stretch = to < this.from ? [to, this.from] : [this.from, to];
    this.place = to;
    this.frames.ask(event.timeStamp);
  }

  release() {
    const [held, stretch] = [this.held, this.stretch];
    this.letGo();
    if (held === "level") return this.level === this.before || this.frames.afterwards(() => this.send());
    const [from, to] = stretch;
    this.frames.ask();
    if ((to - from) * (this.stage.right - this.stage.left) < LEAST) return undefined;
    const { low, high } = this.scene.x;
    return this.tell("stretch", { from: low + from * (high - low), to: low + to * (high - low) });
  }

  giveUp() {
    if (this.held === "level") this.level = this.before;
    this.letGo();
    this.stand();
    this.frames.ask();
  }

  letGo() {
    this.held = this.stretch = undefined;
    delete this.root.dataset.held;
  }

  press(event) {
    const step = event.shiftKey ? 1 : STEP;
    const steps = { ArrowUp: step, ArrowRight: step, ArrowDown: -step, ArrowLeft: -step, PageUp: PAGE, PageDown: -PAGE };
    const { place, between } = this.standing(); // between two levels, the first step up leads to `place` itself
    const target = { Home: 0, End: Infinity }[event.key] ?? place + steps[event.key] - (between && steps[event.key] > 0 ? 1 : 0);
    if (Number.isNaN(target) || !claim(event)) return;
    this.put(target, event.timeStamp);
    this.burst.go();
  }
}

export default mount(Strips, ".strips");
