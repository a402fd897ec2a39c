/* Dates on an axis, in milliseconds since 1970 and in UTC: as the file has them, not moved to the visitor's zone. */

const [SECOND, MINUTE, HOUR, DAY] = [1e3, 6e4, 36e5, 864e5]; // ms
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500].concat(
  [1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  [1, 2, 3, 6, 12].map((n) => n * HOUR),
  [1, 2, 5, 10].map((n) => n * DAY),
);
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600]; // in a step
const NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Round times between two as [value, text], `most` or a few less. */
export function roundTimes({ low, high }, most) {
  const least = (high - low) / Math.max(most, 1);
  const step = STEPS.find((s) => s >= least);
  if (step === undefined) return roundMonths(low, high, least);
  const count = Math.floor(high / step) - Math.ceil(low / step) + 1;
  const values = Array.from({ length: count }, (_, n) => (Math.ceil(low / step) + n) * step);
  return values.map((value) => [value, value % DAY === 0 ? day(value) : clock(value, step)]);
}

function roundMonths(low, high, least) {
  const step = MONTHS.find((n) => n * 30 * DAY >= least) ?? MONTHS.at(-1);
  const month = (value) => new Date(value).getUTCFullYear() * 12 + new Date(value).getUTCMonth();
  const found = [];
  for (let n = Math.ceil(month(low) / step) * step; n <= month(high); n += step) {
    const value = Date.UTC(Math.floor(n / 12), n % 12);
    if (value >= low) found.push([value, step % 12 ? `${NAMES[n % 12]} ${Math.floor(n / 12)}` : `${Math.floor(n / 12)}`]);
  }
  return found;
}

/** A day without its year. */
function day(value) {
  const date = new Date(value);
  return `${date.getUTCDate()} ${NAMES[date.getUTCMonth()]}`;
}

/** The time of day, as finely as a step tells. */
function clock(value, step) {
  return new Date(value).toISOString().slice(11, step >= MINUTE ? 16 : step >= SECOND ? 19 : 23);
}

/** A date and its time of day, as finely as a step tells. */
export function moment(value, step) {
  return step >= DAY ? dated(value) : `${day(value)} ${clock(value, step)}`;
}

/** The days that a stretch of time covers, with their years. */
export function days({ low, high }) {
  const [first, last] = [dated(low), dated(high)];
  return first === last ? first : `${first} to ${last}`;
}

function dated(value) {
  return `${day(value)} ${new Date(value).getUTCFullYear()}`;
}
