import { claim, hold, mount } from "./hand.js";
import { readInks } from "./inks.js";
import { readMessage } from "./message.js";

/*
 * The player: several takes of one length under one transport. Which take is heard changes; where, does not.
 *
 * Message (bytes): header length as uint32, the header as JSON, then the arrays: 16-bit samples of each take
 * [T] or [T, C], and pictures [F, N] of bytes, the lowest frequency in the first row.
 *
 * All takes play at once, each through a gain of its own, so a switch is a crossfade of a few milliseconds and the
 * position cannot move. The strength mixes the dry take with the chosen one the same way, and in the pictures too.
 *
 * For tests the root carries `player`, with state() = {playing, position, take, strength, loop, gains, context}, and
 * `sent`, how often a choice went to Python.
 */

const FADE = 0.006; // s, time constant of a switch: too short to hear as a fade, too long to click
const LEAD = 0.03; // s between the decision to play and the first sample, so that all takes start on one
const STEP = { small: 0.1, normal: 1 }; // s that an arrow key moves, with and without Shift
const PAUSE = 300; // ms without a change before Python hears of it
const STILL_FRAMES = 250; // ms between two places of the playhead where less motion is asked for
const CLICK = 4; // px: a pointer that moved less has clicked, not dragged
const SHORTEST = 0.05; // s, of a loop
const HEIGHTS = { wave: [84, 64], picture: [104, 84] }; // px of a strip: wide, narrow
const NARROW = 560; // px
const PITCHES = [125, 250, 500, 1000, 2000, 4000, 8000, 16000, 32000];

let shared; // the one AudioContext: browsers allow few, and it may only begin with a touch

/* ---------------------------------------------------------------- the message */

function readScene(bytes) {
  const { scene, array } = readMessage(bytes);
  for (const take of scene.takes) {
    take.channels = take.samples.shape[1] ?? 1;
    take.data = array(take.samples);
  }
  for (const strip of [...scene.takes, ...scene.maps]) if (strip.picture) strip.pixels = array(strip.picture);
  for (const [name, table] of Object.entries(scene.tables)) scene.tables[name] = words(array(table));
  scene.length = scene.takes[0].samples.shape[0];
  scene.seconds = scene.length / scene.rate;
  return scene;
}

/** A colour table [256, 3] as RGBA words. */
const words = (rgb) =>
  Uint32Array.from({ length: 256 }, (_, i) => (0xff000000 | (rgb[3 * i + 2] << 16) | (rgb[3 * i + 1] << 8) | rgb[3 * i]) >>> 0);

/* ---------------------------------------------------------------- sound */

/** All takes on one clock. Times in seconds from the takes' first sample. */
class Transport {
  constructor(scene) {
    this.scene = scene;
    this.offset = 0; // the position where nothing plays, or where playing began
    this.gains = scene.takes.map(() => 0);
    this.loop = null; // [from, to]
  }

  get playing() {
    return this.sources !== undefined;
  }

  get position() {
    if (!this.playing) return this.offset;
    const run = this.offset + Math.max(0, shared.currentTime - this.began);
    if (!this.loop) return Math.min(run, this.scene.seconds);
    const [from, to] = this.loop;
    return run < to ? run : from + ((run - from) % (to - from));
  }

  play(ended) {
    shared ??= new AudioContext();
    shared.resume();
    this.buffers ??= this.scene.takes.map((take) => toBuffer(take, this.scene.rate));
    if (this.loop && (this.offset < this.loop[0] || this.offset >= this.loop[1])) this.offset = this.loop[0];
    if (this.offset >= this.scene.seconds - 0.01) this.offset = this.loop?.[0] ?? 0;
    this.began = shared.currentTime + LEAD;
    this.faders = this.gains.map((gain) => {
      const fader = new GainNode(shared, { gain });
      fader.connect(shared.destination);
      return fader;
    });
    this.sources = this.buffers.map((buffer, i) => {
      const source = new AudioBufferSourceNode(shared, { buffer });
      if (this.loop) Object.assign(source, { loop: true, loopStart: this.loop[0], loopEnd: this.loop[1] });
      source.connect(this.faders[i]);
      source.start(this.began, this.offset);
      return source;
    });
    this.sources[0].onended = () => {
      this.stop();
      this.offset = this.scene.seconds;
      ended();
    };
  }

  stop() {
    if (!this.playing) return;
    this.offset = this.position;
    for (const source of this.sources) {
      source.onended = null;
      source.stop();
      source.disconnect();
    }
    for (const fader of this.faders) fader.disconnect();
    this.sources = undefined;
  }

  /** How loud each take is; while they play, within a few milliseconds. */
  mix(gains) {
    this.gains = gains;
    if (!this.playing) return;
    for (const [i, fader] of this.faders.entries()) fader.gain.setTargetAtTime(gains[i], shared.currentTime, FADE);
  }
}

function toBuffer({ data, channels }, rate) {
  const length = data.length / channels;
  const buffer = new AudioBuffer({ length, numberOfChannels: channels, sampleRate: rate });
  for (let c = 0; c < channels; c++) {
    const channel = buffer.getChannelData(c);
    for (let i = 0; i < length; i++) channel[i] = data[i * channels + c] / 32768;
  }
  return buffer;
}

/** Gain of each take: one alone, or the dry one and the chosen in shares; of one loudness where that is asked for. */
function gainsFor(scene, chosen, strength, matched) {
  const wet = scene.takes[chosen];
  const share = isWet(scene, chosen) ? strength / 100 : 1;
  const dry = scene.takes[scene.dry];
  let level = 1;
  if (matched) {
    const target = loudnessTarget(scene);
    const power = share === 1 ? wet.power
      : share ** 2 * wet.power + 2 * share * (1 - share) * wet.cross + (1 - share) ** 2 * dry.power;
    const peak = share === 1 ? wet.peak : share * wet.peak + (1 - share) * dry.peak;
    if (power > 0) level = Math.min(target / Math.sqrt(power), 1 / Math.max(peak, 1e-6));
  }
  const gains = scene.takes.map(() => 0);
  gains[chosen] = share * level;
  if (share < 1) gains[scene.dry] += (1 - share) * level;
  return gains;
}

const isWet = (scene, take) => scene.dry !== null && scene.takes[take].wet;

/** The loudest rms that every take can be brought to without clipping. */
function loudnessTarget(scene) {
  const heard = scene.takes.filter(({ power }) => power > 0);
  return Math.min(...heard.map(({ power, peak }) => Math.sqrt(power) / peak), Math.sqrt(heard[0]?.power ?? 1));
}

/* ---------------------------------------------------------------- pictures */

/** Lowest and highest sample in each pixel column, as [low, high, low, high, ...] of full scale. */
function envelope(scene, chosen, strength, columns) {
  const { data, channels } = scene.takes[chosen];
  const share = isWet(scene, chosen) ? strength / 100 : 1;
  const dry = share < 1 ? scene.takes[scene.dry].data : data;
  const edges = new Float32Array(2 * columns);
  for (let x = 0; x < columns; x++) {
    const first = Math.floor((x * scene.length) / columns) * channels;
    const last = Math.max(first + channels, Math.floor(((x + 1) * scene.length) / columns) * channels);
    let low = Infinity;
    let high = -Infinity;
    for (let i = first; i < last; i++) {
      const value = share * data[i] + (1 - share) * dry[i];
      if (value < low) low = value;
      if (value > high) high = value;
    }
    edges[2 * x] = low / 32768;
    edges[2 * x + 1] = high / 32768;
  }
  return edges;
}

/** Bytes of a take's picture at a strength: magnitudes add, as dry and wet have the same phase. */
function mixedPixels(scene, chosen, strength) {
  const { pixels } = scene.takes[chosen];
  const share = isWet(scene, chosen) ? strength / 100 : 1;
  if (share === 1 || !scene.takes[scene.dry].pixels) return pixels;
  const dry = scene.takes[scene.dry].pixels;
  const [low, high] = scene.decibels;
  const step = (high - low) / 255;
  const magnitude = Float32Array.from({ length: 256 }, (_, i) => 10 ** ((low + i * step) / 20));
  return pixels.map((value, i) => {
    const mix = share * magnitude[value] + (1 - share) * magnitude[dry[i]];
    return Math.round((20 * Math.log10(mix) - low) / step);
  });
}

function drawPicture(context, { width, height }, strip, pixels, table) {
  const [rows, columns] = strip.picture.shape;
  if (!strip.scratch) {
    const canvas = document.createElement("canvas");
    canvas.width = columns;
    canvas.height = rows;
    strip.scratch = canvas.getContext("2d");
    strip.image = strip.scratch.createImageData(columns, rows);
    strip.rgba = new Uint32Array(strip.image.data.buffer);
  }
  for (let row = 0; row < rows; row++) {
    const to = (rows - 1 - row) * columns; // the lowest frequency at the bottom
    for (let i = 0; i < columns; i++) strip.rgba[to + i] = table[pixels[row * columns + i]];
  }
  strip.scratch.putImageData(strip.image, 0, 0);
  context.imageSmoothingQuality = "high";
  context.drawImage(strip.scratch.canvas, 0, 0, width, height);
}

function drawEnvelope(context, { width, height }, edges, top, ink) {
  const middle = height / 2;
  const scale = (height / 2 - 2) / top;
  context.fillStyle = ink;
  for (let x = 0; x < width; x++) {
    const upper = middle - edges[2 * x + 1] * scale;
    context.fillRect(x, upper, 1, Math.max(1, (edges[2 * x + 1] - edges[2 * x]) * scale));
  }
}

/** Where a frequency lies between the rows of a picture, 0 at the lowest row; undefined outside. */
function rowOf(frequencies, hertz) {
  const above = frequencies.findIndex((f) => f >= hertz);
  if (above <= 0) return undefined;
  return above - (frequencies[above] - hertz) / (frequencies[above] - frequencies[above - 1]);
}

/* ---------------------------------------------------------------- the component */

class Player {
  constructor(root) {
    this.root = root;
    this.matched = false;
    this.looping = false;
    this.stretch = null; // what was marked, [from, to] in seconds
    root.sent = 0;
    root.player = { state: () => this.state() };
    this.build();
    this.listen();
  }

  state() {
    const { playing, position, gains, loop } = this.transport;
    const { chosen, strength } = this;
    return { playing, position, gains, loop, strength, take: this.scene.takes[chosen].name, context: shared?.state };
  }

  /** Take a message: the same one again (any rerun of the page) only renews the way back to Python. */
  update(bytes, setStateValue) {
    this.setStateValue = setStateValue;
    const scene = readScene(bytes);
    if (scene.digest !== this.scene?.digest) {
      const turned = scene.turn !== this.scene?.turn;
      const heard = this.scene?.takes[this.chosen].name;
      const old = this.transport;
      const goOn = old?.playing;
      old?.stop();
      this.transport = new Transport(scene);
      // new takes of the old length go on where the old ones were: only what is heard has changed
      const same = this.scene && Math.abs(this.scene.seconds - scene.seconds) < 1e-6;
      if (same) this.transport.offset = old.offset;
      else this.stretch = null;
      this.scene = scene;
      const find = (name) => scene.takes.findIndex((take) => take.name === name);
      this.chosen = Math.max(0, find(turned || find(heard) < 0 ? scene.start.take : heard));
      if (turned) [this.strength, this.matched] = [scene.start.strength, scene.start.matched];
      this.partner = scene.takes[this.chosen].pinned ? Math.max(0, scene.takes.findIndex((t) => !t.pinned)) : this.chosen;
      this.fill();
      if (same && goOn) this.play();
    }
    this.inks = readInks(this.root);
    this.layout();
  }

  build() {
    this.root.setAttribute("role", "group");
    this.root.innerHTML = `
      <div class="bar">
        <button class="play" type="button"><svg viewBox="0 0 24 24" aria-hidden="true"><path></path></svg></button>
        <div class="takes" role="group" aria-label="What is heard"></div>
        <output class="clock" aria-live="off"></output>
      </div>
      <div class="stage">
        <div class="strips"></div>
        <div class="ruler" role="slider" tabindex="0" aria-label="Position" aria-valuemin="0"><canvas></canvas></div>
        <div class="band" hidden></div>
        <div class="head"></div>
      </div>
      <div class="bar options">
        <label class="strength"><span>Strength</span><input type="range" min="0" max="100" step="1"><output></output></label>
        <label class="check"><input class="loop" type="checkbox"><span>Loop</span></label>
        <button class="clear" type="button" hidden>Clear the stretch</button>
        <label class="check"><input class="match" type="checkbox"><span>Same loudness</span></label>
        <p class="keys">
          <kbd>space</kbd> plays, <kbd>1</kbd>–<kbd class="last">9</kbd> switch, <kbd>←</kbd><kbd>→</kbd> seek,
          <kbd>[</kbd><kbd>]</kbd> mark a loop: or drag along the seconds.
        </p>
      </div>
      <div class="said" role="status"></div>`;
    const find = (selector) => this.root.querySelector(selector);
    for (const name of ["play", "takes", "clock", "stage", "strips", "ruler", "band", "head", "loop", "match", "clear", "said"])
      this[`${name}Box`] = find(`.${name}`);
    this.strengthRow = find(".strength");
    this.strengthInput = find(".strength input");
    this.strengthValue = find(".strength output");
  }

  /** New takes into the same place. */
  fill() {
    const { label, takes } = this.scene;
    this.width = this.size = undefined; // nothing is drawn before the new canvases have their size
    this.root.setAttribute("aria-label", label);
    this.takesBox.replaceChildren(...takes.map((take, i) => takeButton(take, i)));
    this.root.querySelector(".keys .last").textContent = Math.min(9, takes.length);
    this.rulerBox.setAttribute("aria-valuemax", this.scene.seconds.toFixed(2));
    this.strengthRow.hidden = this.scene.dry === null || this.firstWet() === undefined;
    const pictured = takes.map((_, take) => take).filter((take) => takes[take].picture);
    const [dry, others] = [pictured.filter((take) => take === this.scene.dry), pictured.filter((take) => take !== this.scene.dry)];
    const picture = (take) => ({ kind: "picture", take });
    this.slots = [
      { kind: "wave" },
      ...dry.map(picture),
      ...this.scene.maps.map((map) => ({ kind: "map", map })),
      ...(others.some((take) => !takes[take].pinned) ? [picture(null)] : []), // of the chosen take, or the last one that was
      ...others.filter((take) => takes[take].pinned).map(picture),
    ];
    for (const slot of this.slots) Object.assign(slot, strip());
    this.stripsBox.replaceChildren(...this.slots.map((slot) => slot.element));
    this.choose(this.chosen, false);
  }

  get dry() {
    return this.scene.dry === null ? undefined : this.scene.takes[this.scene.dry];
  }

  firstWet() {
    const wet = this.scene.takes.findIndex((_, i) => isWet(this.scene, i));
    return wet < 0 ? undefined : wet;
  }

  /* -------- what is heard */

  choose(take, told = true) {
    this.chosen = take;
    if (!this.scene.takes[take].pinned) this.partner = take;
    for (const [i, button] of [...this.takesBox.children].entries()) button.setAttribute("aria-pressed", i === take);
    this.strengthInput.value = this.strength;
    this.matchBox.checked = this.matched;
    this.loopBox.checked = this.looping;
    this.mix();
    this.redraw();
    if (!told) return;
    this.saidBox.textContent = this.scene.takes[take].label;
    this.tell();
  }

  mix() {
    this.transport.mix(gainsFor(this.scene, this.chosen, this.strength, this.matched));
    this.strengthValue.textContent = `${this.strength} %`;
    this.strengthRow.classList.toggle("idle", !isWet(this.scene, this.chosen));
  }

  play() {
    this.transport.loop = this.loopRange();
    this.transport.play(() => this.moved());
    this.moved();
    const follow = (now) => {
      if (!this.transport.playing) return;
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (!still || !(now - this.placed < STILL_FRAMES)) this.place(now);
      this.frame = requestAnimationFrame(follow);
    };
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(follow);
  }

  pause() {
    this.transport.stop();
    this.moved();
  }

  toggle() {
    if (this.transport.playing) this.pause();
    else this.play();
  }

  seek(seconds) {
    const goOn = this.transport.playing;
    this.transport.stop();
    this.transport.offset = Math.max(0, Math.min(this.scene.seconds, seconds));
    if (goOn) this.play();
    else this.moved();
  }

  loopRange() {
    return this.looping ? (this.stretch ?? [0, this.scene.seconds]) : null;
  }

  /** Loop a stretch, or no stretch; what plays goes on from where it is. */
  loop(looping, stretch = this.stretch) {
    this.looping = looping;
    this.stretch = stretch;
    this.loopBox.checked = looping;
    this.clearBox.hidden = !stretch;
    const goOn = this.transport.playing;
    this.transport.stop();
    this.transport.loop = this.loopRange();
    if (goOn) this.play();
    this.placeBand();
    this.moved();
  }

  mark(edge) {
    const [from, to] = this.stretch ?? [0, this.scene.seconds];
    const now = this.transport.position;
    const next = edge === "from" ? [now, to > now + SHORTEST ? to : this.scene.seconds]
      : [from < now - SHORTEST ? from : 0, now];
    if (next[1] - next[0] >= SHORTEST) this.loop(true, next);
  }

  /** Python hears of the take, the strength and the loudness; the place and the loop stay here. */
  tell() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.root.sent += 1;
      const { chosen, strength, matched } = this;
      this.setStateValue("heard", { turn: this.scene.turn, take: this.scene.takes[chosen].name, strength, matched });
    }, PAUSE);
  }

  /* -------- where it is */

  moved() {
    const { playing } = this.transport;
    this.playBox.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.playBox.querySelector("path").setAttribute("d", playing ? "M7 5h4v14H7zM13 5h4v14h-4z" : "M8 5v14l11-7z");
    this.place(performance.now());
  }

  place(now) {
    this.placed = now;
    const { position } = this.transport;
    const share = this.scene.seconds ? position / this.scene.seconds : 0;
    this.headBox.style.transform = `translateX(${share * (this.width ?? 0)}px)`;
    const text = `${clock(position)} / ${clock(this.scene.seconds)}`;
    if (this.clockBox.textContent !== text) this.clockBox.textContent = text;
    this.rulerBox.setAttribute("aria-valuenow", position.toFixed(2));
    const heard = this.scene.takes[this.chosen].label;
    this.rulerBox.setAttribute("aria-valuetext", `${position.toFixed(1)} of ${this.scene.seconds.toFixed(1)} seconds, ${heard}`);
  }

  placeBand() {
    this.bandBox.hidden = !this.stretch;
    if (!this.stretch) return;
    const [from, to] = this.stretch.map((s) => (s / this.scene.seconds) * this.width);
    Object.assign(this.bandBox.style, { left: `${from}px`, width: `${Math.max(1, to - from)}px` });
    this.bandBox.classList.toggle("off", !this.looping);
  }

  /* -------- drawing */

  layout() {
    const width = this.stageBox.clientWidth;
    if (!width || !this.scene) return; // hidden, as in a closed tab; the observer calls again
    this.width = width;
    this.dpr = window.devicePixelRatio || 1;
    const narrow = width < NARROW ? 1 : 0;
    const size = `${width} ${this.dpr}`;
    if (size !== this.size) {
      for (const slot of this.slots) fit(slot, width, HEIGHTS[slot.kind === "wave" ? "wave" : "picture"][narrow], this.dpr);
      this.size = size;
    }
    this.redraw();
    this.drawRuler();
    this.placeBand();
    this.moved();
  }

  /** Draw what has changed: a switch leaves the pinned pictures as they are. */
  redraw() {
    if (!this.width) return;
    for (const slot of this.slots) {
      const take = slot.kind === "wave" ? this.chosen : slot.kind === "map" ? null : (slot.take ?? this.partner);
      const strength = take !== null && isWet(this.scene, take) ? this.strength : 100;
      const shown = `${take} ${strength} ${this.inks.theme}`;
      if (slot.shown !== shown) {
        slot.shown = shown;
        slot.context.clearRect(0, 0, slot.canvas.width, slot.canvas.height);
        if (slot.kind === "wave") this.drawWave(slot);
        else if (slot.kind === "map") this.drawMap(slot);
        else this.drawTake(slot, take);
      }
      if (slot.kind === "picture") slot.heard(take === this.chosen);
    }
  }

  drawWave(slot) {
    const { scene, chosen, strength } = this;
    const take = scene.takes[chosen];
    const behind = this.dry && take !== this.dry ? this.dry : undefined;
    const box = { width: slot.canvas.width, height: slot.canvas.height }; // in device pixels: every column is sharp
    const top = Math.max(...scene.takes.map(({ peak }) => peak), 1e-3);
    if (behind) {
      slot.context.globalAlpha = 0.45;
      drawEnvelope(slot.context, box, envelope(scene, scene.dry, 100, box.width), top, this.inks.roles[behind.role]);
      slot.context.globalAlpha = 1;
    }
    drawEnvelope(slot.context, box, envelope(scene, chosen, strength, box.width), top, this.inks.roles[take.role]);
    slot.name(behind ? [[take.label, take.role], [behind.label, behind.role]] : [[take.label, take.role]]);
    slot.heard(true);
    slot.canvas.setAttribute("aria-label", `Waveform of ${take.label}${behind ? `, over ${behind.label}` : ""}`);
  }

  drawTake(slot, index) {
    const { scene } = this;
    const take = scene.takes[index];
    const box = { width: slot.canvas.width, height: slot.canvas.height };
    drawPicture(slot.context, box, take, mixedPixels(scene, index, this.strength), scene.tables[`${this.inks.theme}-heat`]);
    this.drawPitches(slot, box);
    const mixed = isWet(scene, index) && this.strength < 100 ? ` at ${this.strength} %` : "";
    slot.name([[take.label + mixed, undefined]]);
    slot.canvas.setAttribute("aria-label", `Spectrogram of ${take.label}${mixed}: ${take.words}`);
  }

  drawMap(slot) {
    const box = { width: slot.canvas.width, height: slot.canvas.height };
    drawPicture(slot.context, box, slot.map, slot.map.pixels, this.scene.tables[`${this.inks.theme}-mask`]);
    this.drawPitches(slot, box);
    slot.name([[slot.map.label, undefined]]);
    slot.canvas.setAttribute("aria-label", `${slot.map.label}: ${slot.map.words}`);
  }

  drawPitches({ context }, { width, height }) {
    const { frequencies } = this.scene;
    const { dpr } = this;
    context.font = `${10 * dpr}px sans-serif`;
    context.textAlign = "right";
    context.textBaseline = "middle";
    let free = height;
    for (const hertz of PITCHES) {
      const row = rowOf(frequencies, hertz);
      if (row === undefined) continue;
      const y = height * (1 - (row + 0.5) / frequencies.length);
      if (y > free - 16 * dpr || y < 9 * dpr) continue;
      free = y;
      const text = hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz`;
      context.lineWidth = 3 * dpr;
      context.lineJoin = "round";
      context.strokeStyle = this.inks.theme === "dark" ? "rgb(14 17 23 / 75%)" : "rgb(255 255 255 / 80%)";
      context.strokeText(text, width - 6 * dpr, y);
      context.fillStyle = this.inks.text;
      context.fillText(text, width - 6 * dpr, y);
    }
  }

  drawRuler() {
    const canvas = this.rulerBox.firstElementChild;
    const slot = { canvas, context: canvas.getContext("2d") };
    fit(slot, this.width, 30, this.dpr);
    const { context } = slot;
    context.setTransform(this.dpr, 0, 0, this.dpr, 0, 0);
    context.clearRect(0, 0, this.width, 30);
    context.font = "11px sans-serif";
    context.fillStyle = context.strokeStyle = this.inks.text;
    context.globalAlpha = 0.75;
    const most = Math.max(2, Math.floor(this.width / 64));
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300].find((s) => this.scene.seconds / s <= most) ?? 600;
    for (let n = 0; n * step <= this.scene.seconds + 1e-9; n++) {
      const x = (n * step * this.width) / this.scene.seconds;
      context.fillRect(Math.min(x, this.width - 1), 0, 1, 6);
      const text = n === 0 ? "0 s" : step < 1 ? (n * step).toFixed(1) : clock(n * step, 0);
      const wide = context.measureText(text).width;
      if (x + wide / 2 < this.width || n === 0) context.fillText(text, Math.max(0, x - wide / 2), 19);
    }
    context.globalAlpha = 1;
  }

  /* -------- the hand */

  listen() {
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    const on = (element, name, handler) => element.addEventListener(name, handler, { signal });
    on(this.playBox, "click", () => this.toggle());
    on(this.takesBox, "click", (event) => {
      const button = event.target.closest("button");
      if (button) this.choose([...this.takesBox.children].indexOf(button));
    });
    on(this.strengthInput, "input", () => this.setStrength(Number(this.strengthInput.value)));
    on(this.loopBox, "change", () => this.loop(this.loopBox.checked));
    on(this.clearBox, "click", () => this.loop(this.looping, null));
    on(this.matchBox, "change", () => this.match(this.matchBox.checked));
    on(this.root, "keydown", (event) => this.press(event));
    for (const [box, kind] of [[this.stripsBox, "seek"], [this.rulerBox, "stretch"]]) {
      const hand = { grab: (event) => this.grab(event, box, kind), follow: (event) => this.drag(event) };
      hold(box, { ...hand, release: () => this.release(), giveUp: () => this.giveUp() }, signal);
    }
    this.observer = new ResizeObserver(() => this.stageBox.clientWidth !== this.width && this.layout());
    this.observer.observe(this.stageBox);
    window.addEventListener("resize", () => this.layout(), { signal }); // a zoom has other pixels
  }

  setStrength(strength) {
    this.strength = strength;
    this.mix();
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = undefined;
      this.redraw();
    });
    this.tell();
  }

  match(matched) {
    this.matched = this.matchBox.checked = matched;
    this.mix();
    this.tell();
  }

  grab(event, box, kind) {
    if (this.held) return undefined; // by another finger, on the other box
    const left = this.stageBox.getBoundingClientRect().left;
    const goOn = this.transport.playing;
    this.held = { kind, left, x: event.clientX, goOn, before: [this.looping, this.stretch], at: this.transport.position };
    return box;
  }

  timeAt(event) {
    const share = (event.clientX - this.held.left) / this.width;
    return Math.max(0, Math.min(1, share)) * this.scene.seconds;
  }

  drag(event) {
    if (this.held.kind === "seek") return this.scrub(event);
    if (Math.abs(event.clientX - this.held.x) < CLICK && !this.held.dragged) return undefined;
    this.held.dragged = true;
    const start = Math.max(0, Math.min(1, (this.held.x - this.held.left) / this.width)) * this.scene.seconds;
    const [from, to] = [start, this.timeAt(event)].sort((a, b) => a - b);
    this.stretch = [from, Math.max(to, from + SHORTEST)];
    this.looping = true;
    return this.placeBand();
  }

  /** While the hand moves only the line does; the sound follows when it lets go. */
  scrub(event) {
    this.transport.stop();
    this.transport.offset = this.timeAt(event);
    this.moved();
  }

  release() {
    const { kind, goOn, dragged, x, left } = this.held;
    this.held = undefined;
    if (kind === "seek" && goOn) this.play();
    if (kind === "stretch" && dragged) this.loop(true, this.stretch);
    if (kind === "stretch" && !dragged) this.seek(((x - left) / this.width) * this.scene.seconds);
  }

  /** The browser took the finger for scrolling: as if it had never touched. */
  giveUp() {
    const { goOn, before, at } = this.held;
    this.held = undefined;
    [this.looping, this.stretch] = before;
    this.transport.stop();
    this.transport.offset = at;
    if (goOn) this.play();
    this.placeBand();
    this.moved();
  }

  press(event) {
    const { type } = event.target; // of an input; its own keys stay its own
    const own = type === "range" ? ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"] : type === "checkbox" ? [" "] : [];
    if (own.includes(event.key)) return;
    const action = this.action(event);
    if (action && claim(event)) action();
  }

  action({ key, shiftKey }) {
    const step = shiftKey ? STEP.small : STEP.normal;
    const { position } = this.transport;
    if (/^[1-9]$/.test(key)) return this.scene.takes[key - 1] && (() => this.choose(key - 1));
    return {
      " ": () => this.toggle(),
      ArrowLeft: () => this.seek(position - step),
      ArrowRight: () => this.seek(position + step),
      Home: () => this.seek(0),
      End: () => this.seek(this.scene.seconds),
      l: () => this.loop(!this.looping),
      m: () => this.match(!this.matched),
      "[": () => this.mark("from"),
      "]": () => this.mark("to"),
      Escape: this.stretch && (() => this.loop(this.looping, null)),
    }[key];
  }

  destroy() {
    this.transport?.stop();
    this.leaving.abort();
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.drawing);
    clearTimeout(this.timer);
  }
}

/* ---------------------------------------------------------------- parts */

function takeButton(take, index) {
  const button = document.createElement("button");
  button.type = "button";
  button.innerHTML = `<kbd aria-hidden="true"></kbd><i></i><span></span>`;
  button.querySelector("kbd").textContent = index < 9 ? index + 1 : "";
  button.querySelector("i").style.background = `var(--${take.role})`;
  button.querySelector("span").textContent = take.label;
  return button;
}

/** One row of the stage: a canvas and the name of what it shows. */
function strip() {
  const element = document.createElement("div");
  element.className = "strip";
  element.innerHTML = `<canvas role="img"></canvas><div class="name" aria-hidden="true"></div>`;
  const canvas = element.querySelector("canvas");
  const label = element.querySelector(".name");
  const heard = (is) => label.classList.toggle("heard", is);
  const name = (parts) => {
    label.replaceChildren(
      ...parts.map(([text, role]) => {
        const part = document.createElement("span");
        part.textContent = text;
        if (role) part.style.setProperty("--ink", `var(--${role})`);
        part.className = role ? "inked" : "";
        return part;
      }),
    );
  };
  return { element, canvas, context: canvas.getContext("2d"), name, heard };
}

function fit(slot, width, height, dpr) {
  const { canvas } = slot;
  slot.shown = undefined; // a canvas of another size is empty
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * dpr);
  canvas.height = Math.round(height * dpr);
}

/** Seconds as m:ss.t. */
function clock(seconds, digits = 1) {
  const rounded = Number(seconds.toFixed(digits));
  const minutes = Math.floor(rounded / 60);
  return `${minutes}:${(rounded - 60 * minutes).toFixed(digits).padStart(digits ? 3 + digits : 2, "0")}`;
}

export default mount(Player, ".player");
