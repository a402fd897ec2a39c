import { PALETTES } from "./palette.js";

/* Colours from the theme: roles as on every page, and ten for classes that differ in lightness too. */

const read = new WeakMap(); // root element -> its inks, the same object until the theme changes

/** Colours for the theme that `root` stands in; names the theme and the roles' colours for the style sheet. */
export function readInks(root) {
  const style = getComputedStyle(root);
  const background = style.getPropertyValue("--st-background-color").trim() || "#fff";
  const colours = `${background} ${style.color}`;
  if (read.get(root)?.colours !== colours) read.set(root, { colours, ...mix(root, background, style.color) });
  return read.get(root);
}

function mix(root, background, colour) {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (css) => {
    probe.clearRect(0, 0, 1, 1);
    probe.fillStyle = css;
    probe.fillRect(0, 0, 1, 1);
    return [...probe.getImageData(0, 0, 1, 1).data];
  };
  const [r, g, b, a] = rgb(background);
  const theme = a > 0 && 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "dark" : "light";
  const text = rgb(colour).slice(0, 3).join(" ");
  const { classes, ...palette } = PALETTES[theme];
  const named = { ...palette, lost: palette.quiet };
  const roles = { ...named, neutral: `rgb(${text})` };
  root.dataset.theme = theme;
  for (const [role, css] of Object.entries(named)) root.style.setProperty(`--${role}`, css);
  return {
    theme,
    roles,
    tables: Object.fromEntries(Object.entries(roles).map(([role, css]) => [role, opacities(rgb(css))])),
    classes,
    text: `rgb(${text})`,
    soft: `rgb(${text} / 68%)`,
    line: `rgb(${text} / 22%)`,
    faint: `rgb(${text} / 6%)`,
    paper: a > 0 ? `rgb(${r} ${g} ${b})` : "#fff",
  };
}

/** RGBA words for 256 grey values: the ink's opacity grows with the value. */
function opacities([red, green, blue]) {
  const ink = (blue << 16) | (green << 8) | red;
  return Uint32Array.from({ length: 256 }, (_, value) => ((value << 24) | ink) >>> 0);
}
