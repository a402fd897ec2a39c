import { shelfOf } from "./shelf.js";

/*
 * Dense networks as they were trained, run in the browser: float32, any number of inputs. Sums are kept in double
 * precision and rounded once, so they lie as close to the exact result as any other order of adding does.
 */

const ACTIVATIONS = {
  relu: (x) => (x > 0 ? x : 0),
  silu: (x) => x / (1 + Math.exp(-x)),
  tanh: Math.tanh,
};

export class Network {
  /** `layers`: [{weights: Float32Array [out * in], biases: Float32Array [out]}] */
  constructor({ layers, activation, output }) {
    this.layers = layers.map(({ weights, biases }) => ({ weights, biases, out: new Float32Array(biases.length) }));
    this.activate = ACTIVATIONS[activation];
    this.sigmoid = output === "sigmoid";
    this.inputs = layers[0].weights.length / layers[0].biases.length;
    this.outputs = layers.at(-1).biases.length;
  }

  /** Output for one code; the array is the network's own and holds until the next call. */
  run(code) {
    let input = code;
    for (const [n, layer] of this.layers.entries()) {
      multiply(layer, input);
      if (n < this.layers.length - 1) for (let i = 0; i < layer.out.length; i++) layer.out[i] = this.activate(layer.out[i]);
      input = layer.out;
    }
    if (this.sigmoid) for (let i = 0; i < input.length; i++) input[i] = 1 / (1 + Math.exp(-input[i]));
    return input;
  }
}

/** out = weights . input + biases, four sums at a time: one alone would wait for itself. */
function multiply({ weights, biases, out }, input) {
  const width = input.length;
  const whole = width - (width % 4);
  for (let o = 0, at = 0; o < out.length; o++) {
    let [a, b, c, d] = [biases[o], 0, 0, 0];
    let i = 0;
    for (; i < whole; i += 4, at += 4) {
      a += weights[at] * input[i];
      b += weights[at + 1] * input[i + 1];
      c += weights[at + 2] * input[i + 2];
      d += weights[at + 3] * input[i + 3];
    }
    for (; i < width; i++, at++) a += weights[at] * input[i];
    out[o] = a + b + c + d;
  }
}

/** The networks by name, for every component on the page. */
export function shelf() {
  return shelfOf("networks");
}
