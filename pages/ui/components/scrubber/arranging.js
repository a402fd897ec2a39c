/* Where panels go: row by row, as wide as they need; pictures in whole screen pixels where that is possible. */

export const GAP = 28; // px between panels that stand side by side
const NARROWEST = { panel: 190, picture: 96, tile: 32 }; // px: where less is left, panels go under each other

const tilesWide = (panel, tile, gap) => panel.per_row * (tile + gap) - gap;

/** Tiles as large as width and height allow; small pictures in whole screen pixels, so that every cell is square. */
export function fitTiles(panel, box) {
  const [, count, rows, columns] = panel.values.shape;
  const lines = Math.ceil(count / panel.per_row);
  const gap = box.width / panel.per_row < 48 ? 3 : 6;
  const byWidth = (box.width - (panel.per_row - 1) * gap) / panel.per_row;
  const byHeight = ((box.height - (lines - 1) * gap) / lines) * (columns / rows);
  let tile = Math.min(byWidth, byHeight);
  const cells = (Math.floor((tile * box.dpr) / columns) * columns) / box.dpr;
  const whole = cells > 0.75 * tile;
  if (whole) tile = cells;
  const tileHeight = (tile * rows) / columns;
  const height = lines * (tileHeight + gap) - gap;
  panel.grid = { tile, tileHeight, gap, whole, width: tilesWide(panel, tile, gap), height };
}

/** Least and most width of a panel: pictures need no more than their height gives, the others take what there is. */
function needs(panel, width, height) {
  if (panel.kind !== "images") return { least: Math.min(NARROWEST.panel, width), most: Infinity };
  const [, count, rows, columns] = panel.values.shape;
  const lines = Math.ceil(count / panel.per_row);
  const most = Math.min(width, tilesWide(panel, ((height - (lines - 1) * 6) / lines) * (columns / rows), 6));
  return { least: Math.min(most, Math.max(NARROWEST.picture, tilesWide(panel, NARROWEST.tile, 3))), most };
}

/** Widths of panels, row by row: as few rows as fit, even ones where that is possible. */
export function arrange(panels, width, height, columns) {
  const wants = panels.map((panel) => needs(panel, width, height));
  const fits = (row) => row.length <= columns && row.reduce((sum, { least }) => sum + least + GAP, -GAP) <= width;
  let rows = [];
  for (const want of wants) {
    if (rows.length && fits([...rows.at(-1), want])) rows.at(-1).push(want);
    else rows.push([want]);
  }
  const long = Math.ceil(wants.length / rows.length);
  const even = rows.map((_, i) => wants.slice(i * long, (i + 1) * long));
  if (even.every((row) => row.length && fits(row))) rows = even;
  if (wants.every(({ most }) => most === Infinity)) {
    const equal = (width - GAP * (rows[0].length - 1)) / rows[0].length; // in a short last row as well
    for (const want of wants) want.most = equal;
  }
  return rows.map((row) => share(row, width));
}

/** The width of a row, shared equally among all that can still use it. */
function share(row, width) {
  const widths = row.map(({ least }) => least);
  let left = row.reduce((rest, { least }) => rest - least - GAP, width + GAP);
  let open = row.map((_, i) => i);
  while (left > 0.5 && open.length) {
    const each = left / open.length;
    for (const i of open) {
      const more = Math.min(each, row[i].most - widths[i]);
      widths[i] += more;
      left -= more;
    }
    open = open.filter((i) => row[i].most - widths[i] > 0.5);
  }
  return widths.map(Math.floor);
}
