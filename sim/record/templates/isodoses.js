"use strict";
/* Slices of the dose as plotly's traces and layout: planned, delivered, and their difference side by side,
   or below each other where it is narrow. Nothing here touches the page. Lengths are mm, doses Gy. */

const WASH = {                                             // lightness rises or falls all the way
  light: ["#fdfefe", "#e0efe3", "#b4dccb", "#7cc3bb", "#4aa5b4", "#2c8ab0"],
  dark: ["#12181f", "#153642", "#17505c", "#1d6a73", "#257a7c", "#318a80"],
};
const OFF = {                                              // purple: too little, orange: too much
  light: ["#8a6bb5", "#c3b2db", "#f7f7f7", "#f6c894", "#d98a3a"],
  dark: ["#7f62b8", "#4b4170", "#171e26", "#64471f", "#a4661f"],
};
const ENDS = { axial: ["A", "P"], coronal: ["S", "I"] };
const GAP = { across: 14, down: 44, left: 44, right: 10, top: 24, bottom: 40 };

const scaleOf = (colours) => colours.map((colour, i) => [i / (colours.length - 1), colour]);

/* The colour of a value between the ends of a scale. */
function washed(colours, part) {
  const place = clamp(part, 0, 1) * (colours.length - 1), i = Math.min(Math.floor(place), colours.length - 2);
  const [low, high] = [colours[i], colours[i + 1]].map((c) => [1, 3, 5].map((k) => parseInt(c.slice(k, k + 2), 16)));
  return "rgb(" + low.map((v, k) => Math.round(v + (high[k] - v) * (place - i))).join(" ") + ")";
}

class Isodoses {
  constructor(data) {
    this.data = data;
    this.planes = data.planes.map((raw) => {
      const planned = raw.planned.map((row) => row.map((v) => v / 100));
      const off = raw.off.map((row) => row.map((v) => v / 100));
      return Object.assign({}, raw, { planned, off, delivered: planned.map((row, i) => row.map((v, j) => v + off[i][j])) });
    });
  }

  /* One plane of a view, drawn so many px wide: {traces, layout}. */
  draw(view, number, { width, whole, isDark }) {
    const plane = this.planes[view.planes[number]], c = colours(isDark), wash = isDark ? "dark" : "light";
    const p = this.places(view, plane, width, whole), traces = [], shapes = [], notes = [], layout = {};
    const panels = [["planned", plane.planned], ["delivered", plane.delivered], ["delivered less planned", plane.off]];
    panels.forEach(([title, values], i) => {
      const off = i === 2, n = i ? i + 1 : "", axes = { xaxis: "x" + n, yaxis: "y" + n };
      const z = values.map((row) => row.map((v) => v / view.reference));
      const most = (off ? this.data.span : this.data.top) / view.reference;
      traces.push(Object.assign({
        type: "heatmap", x: plane.across, y: plane.down, z: z, customdata: values, zmin: off ? -most : 0, zmax: most,
        zsmooth: "best", colorscale: scaleOf((off ? OFF : WASH)[wash]), showscale: false,
        hovertemplate: escapeText(title) + " %{customdata:" + (off ? "+" : "") + ".2f} Gy (%{z:" + (off ? "+" : "") + ".0%})<br>%{x:.0f} mm left, %{y:.0f} mm "
          + (plane.plane === "axial" ? "posterior" : "superior") + "<extra></extra>",
      }, axes));
      for (const level of off ? this.data.off_levels : view.levels) {
        if (!crosses(z, level / 100)) continue;
        traces.push(Object.assign({
          type: "contour", x: plane.across, y: plane.down, z: z, name: level + " %", showscale: false, hoverinfo: "skip",
          contours: { start: level / 100, end: level / 100, size: 1, coloring: "none" },
          line: { color: c.ink, width: level >= 95 ? 1.8 : 1, smoothing: 0.6, dash: level < 0 ? "4px,2px" : "solid" },
        }, axes));
      }
      shapes.push(...this.marks(plane, axes, c));
      const names = this.names(plane, axes, c, p), scale = (off ? OFF : WASH)[wash];
      notes.push(...names, ...levelNotes({ plane, z, p, axes, names, levels: off ? this.data.off_levels : view.levels,
        look: (v, text) => ({ text, bgcolor: washed(scale, off ? v / most / 2 + 0.5 : v / most), font: { size: 9.5, color: c.ink } }), signed: off }));
      Object.assign(layout, this.axes(plane, n, p, i, c));
      notes.push(Object.assign(note("<b>" + title + "</b>", p.panels[i].x[0], p.panels[i].y[1],
        { xref: "paper", yref: "paper", xanchor: "left", yanchor: "bottom", yshift: 3, font: { size: 11.5, color: c.ink } })));
    });
    Object.assign(layout, {
      width: width, height: p.height, margin: { l: GAP.left, r: GAP.right, t: GAP.top, b: GAP.bottom, pad: 0 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: "closest", dragmode: false,
      separators: ".", hoverlabel: { font: { size: 12 }, align: "left" }, shapes: shapes, annotations: notes,
      font: { family: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif", color: c.ink },
    });
    return { traces: traces, layout: layout };
  }

  /* Where the panels stand, in parts of the plot area, all at the same scale in both directions. */
  places(view, plane, width, whole) {
    const axial = plane.plane === "axial", skin = plane.skin, border = 6, narrow = width < 620;
    const ends = (middle, half) => [middle - half - border, middle + half + border];
    const x = whole ? ends(skin.x, skin.half_width) : view.near[0];
    const down = !axial ? (whole ? [plane.down[0], plane.down[plane.down.length - 1]] : view.near[2])
      : whole ? ends(skin.down, skin.half_depth) : view.near[1];
    const inner = width - GAP.left - GAP.right, count = narrow ? 1 : 3;
    const across = (inner - GAP.across * (count - 1)) / count;
    const high = Math.min(across * (down[1] - down[0]) / (x[1] - x[0]), 420);
    const wide = high * (x[1] - x[0]) / (down[1] - down[0]);
    const total = narrow ? high * 3 + GAP.down * 2 : high;
    const panels = [0, 1, 2].map((i) => {
      const left = narrow ? 0 : i * (wide + GAP.across), top = narrow ? i * (high + GAP.down) : 0;
      return { x: [left / inner, (left + wide) / inner], y: [1 - (top + high) / total, 1 - top / total] };
    });
    return { panels, narrow, x, down, height: total + GAP.top + GAP.bottom, perMm: wide / (x[1] - x[0]), turn: axial ? 1 : -1 };
  }

  axes(plane, n, p, i, c) {
    const axial = plane.plane === "axial", size = Math.max(p.x[1] - p.x[0], 1);
    const step = [10, 20, 50, 100].find((s) => size / s <= (p.perMm * size < 360 ? 8 : 9)) || 200;
    const ticks = ([from, to]) => {
      const at = [];
      const edge = 14 / p.perMm;                            // a label there would meet the next panel's
      for (let v = Math.ceil((from + edge) / step) * step; v <= to - edge; v += step) at.push(v);
      return at;
    };
    const base = { fixedrange: true, zeroline: false, showgrid: false, tickfont: { size: 10, color: c.muted }, ticks: "outside",
      tickcolor: c.muted, ticklen: 3, tickmode: "array", tickangle: 0, mirror: true, linecolor: c.line, showline: true };
    const named = (ends, v) => (v === 0 ? "0" : (v < 0 ? ends[0] : ends[1]) + " " + Math.abs(v));
    const across = ticks(p.x), downs = ticks(p.down), last = p.narrow ? i === 2 : true, first = p.narrow || i === 0;
    return {
      ["xaxis" + n]: Object.assign({}, base, { domain: p.panels[i].x, range: p.x, anchor: "y" + n, tickvals: across, showticklabels: true,
        ticktext: across.map((v) => named(["R", "L"], v)),
        title: last ? { text: "mm, R and L of the patient", font: { size: 10, color: c.muted }, standoff: 4 } : {} }),
      ["yaxis" + n]: Object.assign({}, base, { domain: p.panels[i].y, range: axial ? [p.down[1], p.down[0]] : p.down, anchor: "x" + n,
        tickvals: downs, showticklabels: first, ticktext: downs.map((v) => named(axial ? ENDS.axial : ["I", "S"], v)) }),
    };
  }

  /* What lies outside the patient is covered, then outlines of patient and targets. */
  marks(plane, axes, c) {
    const far = 2000, skin = plane.skin, on = { xref: axes.xaxis, yref: axes.yaxis, layer: "above" };
    const frame = `M${-far},${-far}L${far},${-far}L${far},${far}L${-far},${far}Z`;
    let body = "";
    if (plane.plane === "axial") {
      for (let i = 0; i < 120; i += 1) {
        const turn = i * Math.PI / 60;
        body += (i ? "L" : "M") + (skin.x + skin.half_width * Math.cos(turn)).toFixed(2) + ","
          + (skin.down + skin.half_depth * Math.sin(turn)).toFixed(2);
      }
    } else {
      const [left, right] = [skin.x - skin.half_width, skin.x + skin.half_width];
      body = `M${left},${-far}L${right},${-far}L${right},${far}L${left},${far}`;
    }
    const found = [Object.assign({ type: "path", path: frame + body + "Z", fillrule: "evenodd", fillcolor: c.card, line: { width: 0 } }, on),
      Object.assign({ type: "path", path: body + "Z", name: "skin", line: { color: c.muted, width: 1.5 } }, on)];
    for (const t of plane.targets) {
      found.push(Object.assign({ type: "circle", name: "target", x0: t.x - t.radius, x1: t.x + t.radius, y0: t.down - t.radius, y1: t.down + t.radius,
        line: { color: c.target, width: 2.2 } }, on));
    }
    return found;
  }

  names(plane, axes, c, p) {
    const on = { xref: axes.xaxis, yref: axes.yaxis }, axial = plane.plane === "axial", found = [];
    const seen = (q) => q.x > p.x[0] && q.x < p.x[1] && q.down > p.down[0] && q.down < p.down[1];
    for (const t of plane.targets.filter(seen)) {
      found.push(note("<b>" + escapeText(short(t.name, 24)) + "</b>", t.x, t.down + (axial ? -t.radius : t.radius), Object.assign({},
        on, { yanchor: "bottom", yshift: 1, font: { size: 10.5, color: c.target } })));
    }
    for (const q of plane.organs.filter(seen)) {
      found.push(note("+", q.x, q.down, Object.assign({}, on, { font: { size: 15, color: c.ink } })));
      found.push(note(escapeText(short(q.name, 28)), q.x, q.down, Object.assign({}, on, { yanchor: "top", yshift: -5, font: { size: 10, color: c.ink } })));
    }
    return found;
  }
}

/* Percents at the lines: along rays from the largest value, each where it meets no other name or label. */
function levelNotes({ plane, z, p, axes, names, levels, look, signed }) {
  const found = [], taken = names.map((n) => {
    const half = n.text.replace(/<[^>]*>/g, "").length * 3.1 + 2, up = n.yanchor === "bottom" ? -9 : n.yanchor === "top" ? 11 : 0;
    return [n.x * p.perMm - half, n.x * p.perMm + half, n.y * p.perMm * p.turn + up - 7, n.y * p.perMm * p.turn + up + 7];
  });
  const within = (v, [low, high]) => v >= low && v <= high;
  let [row, column, most] = [0, 0, -1];
  z.forEach((line, i) => line.forEach((v, j) => {
    if (Math.abs(v) > most && within(plane.across[j], p.x) && within(plane.down[i], p.down)) [row, column, most] = [i, j, Math.abs(v)];
  }));
  const from = [plane.across[column], plane.down[row]], margin = 12 / p.perMm;
  for (const level of levels) {
    for (let k = 0; k < 24; k += 1) {
      const turn = (k * 5 + 2) % 24 * Math.PI / 12, way = [Math.cos(turn), Math.sin(turn)];
      const place = crossing(plane, z, level / 100, from, way);
      if (!place || place[0] < p.x[0] + margin || place[0] > p.x[1] - margin || place[1] < p.down[0] + margin || place[1] > p.down[1] - margin) continue;
      const [x, y] = [place[0] * p.perMm, place[1] * p.perMm * p.turn], box = [x - 16, x + 16, y - 7, y + 7];
      if (taken.some((t) => box[0] < t[1] && box[1] > t[0] && box[2] < t[3] && box[3] > t[2])) continue;
      taken.push(box);
      const text = (level < 0 ? "\u2212" : signed ? "+" : "") + Math.abs(level) + " %";
      found.push(note("", place[0], place[1], Object.assign({ xref: axes.xaxis, yref: axes.yaxis, name: "level" }, look(level / 100, text))));
      break;
    }
  }
  return found;
}

/* Where a ray first passes a level, mm; null where it does not. */
function crossing(plane, z, level, from, way) {
  let before = null;
  for (let far = 0; far < 400; far += 1) {
    const x = from[0] + way[0] * far, y = from[1] + way[1] * far;
    const j = between(plane.across, x), i = between(plane.down, y);
    if (j < 0 || i < 0) return null;
    const u = (x - plane.across[j]) / (plane.across[j + 1] - plane.across[j]), v = (y - plane.down[i]) / (plane.down[i + 1] - plane.down[i]);
    const now = (z[i][j] * (1 - u) + z[i][j + 1] * u) * (1 - v) + (z[i + 1][j] * (1 - u) + z[i + 1][j + 1] * u) * v - level;
    if (before !== null && before < 0 !== now < 0) return [x - way[0] * now / (now - before), y - way[1] * now / (now - before)];
    before = now;
  }
  return null;
}

/* The piece of a rising list in which a value lies; -1 outside. */
function between(list, value) {
  if (value < list[0] || value >= list[list.length - 1]) return -1;
  let low = 0, high = list.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (list[middle] <= value) low = middle; else high = middle;
  }
  return low;
}

/* Whether some of the values are below a level and some above it. */
function crosses(z, level) {
  let below = false, above = false;
  for (const row of z) for (const v of row) { if (v < level) below = true; else above = true; if (below && above) return true; }
  return false;
}
