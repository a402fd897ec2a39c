/*
 * What every figure under a pointer shares: it is mounted once on its place in the page, draws once a frame, is held by
 * one pointer at a time, and Python hears of it when the hand rests.
 */

const KEYBOARD_PAUSE = 250; // ms without a key before Python hears of it

/** A component's entry point: one `Kind` for each root element, and `update(data, setStateValue)` for every message. */
export function mount(Kind, selector) {
  const mounted = new WeakMap(); // root element -> figure
  return ({ data, parentElement, setStateValue }) => {
    const root = parentElement.querySelector(selector);
    if (!root || !data) return undefined;
    if (!mounted.has(root)) mounted.set(root, { figure: new Kind(root), calls: 0 });
    const place = mounted.get(root);
    const call = ++place.calls;
    place.figure.update(data, setStateValue);
    // A call overtaken by a newer one is cleaned up after it: only the latest may take the component down.
    return () => {
      if (place.calls !== call) return;
      place.figure.destroy();
      mounted.delete(root);
    };
  };
}

/** What a figure under a hand lets go of when it is taken down; its own class makes them. */
export class Figure {
  destroy() {
    this.leaving.abort();
    this.observer.disconnect();
    this.frames.stop();
    this.burst.stop();
  }
}

/**
 * Drawing once an animation frame, however often it is asked for. `timings` keeps the last frames drawn for a pointer,
 * each {input, started, drawn, settled} in performance.now() milliseconds: the pointer event's own timestamp, the begin
 * and end of the drawing, and the first task after that frame.
 */
export class Frames {
  constructor(draw, kept = 256) {
    Object.assign(this, { draw, kept, timings: [] });
  }

  /** Draw in the next frame; `input` is the time of the pointer event behind it. */
  ask(input) {
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

  /** Do something once what was asked for is drawn. */
  afterwards(action) {
    if (this.pending === undefined) action();
    else requestAnimationFrame(action);
  }

  time(timing) {
    const channel = new MessageChannel(); // its task comes first after the frame; a timer would wait for up to 4 ms more
    channel.port1.onmessage = () => {
      timing.settled = performance.now();
      channel.port1.close();
      this.timings.push(timing);
      if (this.timings.length > this.kept) this.timings.shift();
    };
    channel.port2.postMessage(null);
  }

  stop() {
    cancelAnimationFrame(this.pending);
  }
}

/**
 * One pointer at a time holds what lies in `element`. `hand.grab(event)` returns the element that takes the pointer, or
 * nothing where there is none to take; then come `follow(event)` and one of `release()` and `giveUp()`, the latter when
 * the browser takes the finger for scrolling: as if it had never touched.
 */
export function hold(element, hand, signal) {
  let held;
  const on = (name, handler) => element.addEventListener(name, handler, { signal });
  const mine = (act) => (event) => event.pointerId === held && act(event);
  on("pointerdown", (event) => {
    if (event.button !== 0 || held !== undefined) return;
    const target = hand.grab(event);
    if (!target) return;
    held = event.pointerId;
    target.setPointerCapture(held);
    hand.follow(event);
  });
  on("pointermove", mine((event) => hand.follow(event)));
  for (const [name, end] of [["pointerup", "release"], ["pointercancel", "giveUp"]])
    on(name, mine(() => {
      held = undefined;
      hand[end]();
    }));
}

/** Whether a key may be the figure's own; it is then nobody else's. */
export function claim(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}

/** A burst of keys as one word: `action` after the last of them, or at once. */
export class Burst {
  constructor(action) {
    this.action = action;
  }

  go() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(), KEYBOARD_PAUSE);
  }

  end() {
    if (this.timer === undefined) return;
    this.stop();
    this.action();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

/** A canvas of a box's size in screen pixels, drawn to in CSS pixels; setting a size clears it, even the same. */
export function resize(canvas, { width, height, dpr }) {
  const [wide, high] = [Math.round(width * dpr), Math.round(height * dpr)];
  if (canvas.width === wide && canvas.height === high) return;
  canvas.width = wide;
  canvas.height = high;
  canvas.getContext("2d").setTransform(dpr, 0, 0, dpr, 0, 0);
}
