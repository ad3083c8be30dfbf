/**
 * A bar chart in SVG out of results: one group of bars an operation, on a logarithmic scale.
 *
 * @module
 */

import { implementationsIn, type Result } from "./report.ts";

const COLOURS: Readonly<Record<string, string>> = {
  thingwire: "#0b7285",
  mbedtls: "#868e96",
  node: "#5c940d",
  noble: "#e67700",
  forge: "#c2255c",
  reclaim: "#6741d9",
};
const LABEL_WIDTH = 230;
const PLOT_WIDTH = 560;
const BAR = 11;
const GAP = 9;
const HEAD = 46;

/** The chart of a group's results; times are CPU microseconds. */
export function plot(title: string, results: readonly Result[]): string {
  const implementations = implementationsIn(results);
  const operations = [...new Set(results.map(({ operation }) => operation))];
  const least = Math.floor(Math.log10(Math.min(...results.map(({ median_us }) => median_us))));
  const most = Math.ceil(Math.log10(Math.max(...results.map(({ median_us }) => median_us))));
  const x = (us: number): number => LABEL_WIDTH + ((Math.log10(us) - least) / (most - least)) * PLOT_WIDTH;
  const parts: string[] = [];
  let y = HEAD;
  for (const operation of operations) {
    const rows = implementations.flatMap((implementation) =>
      results.filter((row) => row.operation === operation && row.implementation === implementation),
    );
    const middle = y + (rows.length * BAR) / 2 + 4;
    parts.push(`<text x="${LABEL_WIDTH - 8}" y="${middle}" text-anchor="end">${operation}</text>`);
    for (const { implementation, median_us } of rows) {
      const width = Math.max(1, x(median_us) - LABEL_WIDTH);
      const colour = COLOURS[implementation] ?? "#000";
      parts.push(
        `<rect x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 1}" fill="${colour}"><title>${implementation}: ${median_us.toPrecision(3)} µs</title></rect>`,
      );
      y += BAR;
    }
    y += GAP;
  }
  const grid: string[] = [];
  for (let power = least; power <= most; power++) {
    const at = x(10 ** power).toFixed(1);
    grid.push(
      `<line x1="${at}" y1="${HEAD - 6}" x2="${at}" y2="${y}" stroke="#dee2e6"/><text x="${at}" y="${y + 14}" text-anchor="middle">${axisLabel(power)}</text>`,
    );
  }
  const legend = implementations.map((name, index) => {
    const at = LABEL_WIDTH + index * 92;
    return `<rect x="${at}" y="24" width="10" height="10" fill="${COLOURS[name] ?? "#000"}"/><text x="${at + 14}" y="33">${name}</text>`;
  });
  const width = LABEL_WIDTH + PLOT_WIDTH + 30;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 24}" font-family="sans-serif" font-size="11">`,
    `<title>${title}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/><text x="8" y="16" font-size="13">${title}</text>`,
    ...legend,
    ...grid,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function axisLabel(power: number): string {
  if (power >= 3) return `${10 ** (power - 3)} ms`;
  return `${10 ** power} µs`;
}
