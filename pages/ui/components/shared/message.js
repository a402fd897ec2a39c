/*
 * A message from Python (bytes): header length as uint32, the header as JSON, then arrays behind one another. Integers are
 * fixed-point between `low` and `high`; float32 are exact.
 */

const KINDS = { uint8: Uint8Array, int16: Int16Array, float32: Float32Array };

/** The header, and `array(description)`: the described numbers as Float32Array (float32) or as they lie there. */
export function readMessage(bytes) {
  const copy = bytes.slice(); // typed arrays need an aligned start
  const length = new DataView(copy.buffer).getUint32(0, true);
  const scene = JSON.parse(new TextDecoder().decode(copy.subarray(4, 4 + length)));
  const array = ({ at, shape, type }) =>
    new KINDS[type](copy.buffer, 4 + length + at, shape.reduce((a, b) => a * b, 1));
  return { scene, array };
}

/** Fixed-point integers as the numbers they stand for. */
export function toNumbers(integers, { low, high, type }) {
  const [zero, steps] = type === "uint8" ? [0, 255] : [-32768, 65535];
  return Float32Array.from(integers, (integer) => low + ((integer - zero) * (high - low)) / steps);
}
