"use strict";
/* The figure: lanes over one shared time axis, as plotly's traces and layout. Nothing here touches the
   page. Times are in us; the axis is in seconds, as a number of us would be too long to be exact. */

class Figure {
  constructor(data) {
    this.data = data;
    this.end = data.end;
    this.whole = [-data.end * 0.004, data.end * 1.004];
    this.signals = new Map(data.signals.map((raw) => [raw.name, new Signal(raw)]));
    this.stateLane = data.lanes.find((lane) => lane.kind === "state" && lane.role === "state");
    /* The proof test drives inputs to their limits: no reason to squeeze the rest of the curve. */
    this.testing = this.stateLane
      ? this.signals.get(this.stateLane.channels[0]).pieces(0, this.end, this.end).filter((piece) => piece.value === "check")
      : [];
    this.ranges = new Map();
  }

  /* For a view [from, to] drawn so many px wide: {traces, layout, places}. */
  draw(view, width, isDark, onPaper) {
    const p = this.places(width, onPaper), c = colours(isDark);
    const reach = view[1] - view[0], a = Math.max(0, view[0] - reach), b = Math.min(this.end, view[1] + reach);
    const scene = { p: p, c: c, view: view, a: a, b: b, px: (t) => (t - view[0]) / reach * p.inner };
    const traces = this.rows(scene).concat([this.stateNames(scene)], this.curves(scene));
    const marked = this.marks(scene);
    const layout = Object.assign(this.axes(scene), {
      width: p.width, height: p.total + p.margin.t + p.margin.b, margin: p.margin, barmode: "overlay", bargap: 0,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: "closest", separators: ".",
      dragmode: window.matchMedia("(pointer: coarse)").matches ? false : "zoom",
      font: { family: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif", color: c.ink },
      shapes: marked.shapes, annotations: this.titles(scene).concat(marked.notes),
      hoverlabel: { font: { size: 12 }, align: "left" },
    });
    return { traces: traces, layout: layout, places: p };
  }

  /* Where everything stands, in px from the top of the plot area. */
  places(width, onPaper) {
    const narrow = width < 620, labels = Math.min(4, this.data.marks.length + this.data.deadlines.length);
    const lanes = this.data.lanes.filter((lane) => lane.shown);
    const margin = { l: narrow ? 46 : 138, r: narrow ? 10 : 18, t: 10 + labels * 15, b: 50, pad: 0 };
    let y = 0;
    const rows = [], curves = [];
    for (const lane of lanes) {
      if (lane.kind === "number") continue;
      const height = (lane.kind === "state" ? 34 : onPaper ? 19 : 22) + (narrow ? 13 : 0);
      rows.push({ lane: lane, top: y, height: height, bar: lane.kind === "state" ? 26 : 14,
        centre: y + (narrow ? 13 + (height - 13) / 2 : height / 2) });
      y += height;
    }
    const digital = y;
    for (const lane of lanes) {
      if (lane.kind !== "number") continue;
      y += 24;
      curves.push({ lane: lane, top: y, height: (lane.role === "dose" ? 120 : 84) * (onPaper ? 0.5 : 1) });
      y += curves[curves.length - 1].height;
    }
    const total = Math.max(y, 60);
    return { width, narrow, margin, rows, curves, digital, total, onPaper, inner: width - margin.l - margin.r };
  }

  rows({ p, c, a, b, px }) {
    const traces = [];
    for (const row of p.rows) {
      const groups = new Map();
      for (const piece of this.signals.get(row.lane.channels[0]).pieces(a, b, this.end)) {
        if (piece.value === false || piece.to < a) continue;
        const key = piece.value === true ? "on" : piece.value;
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key).push(piece);
      }
      for (const [key, pieces] of groups) {
        const fill = key === "on" ? ROLE[row.lane.role] || ROLE.other : fillOf(key);
        traces.push({
          type: "bar", orientation: "h", xaxis: "x", yaxis: "y", showlegend: false,
          y: pieces.map(() => row.centre), width: row.bar, hovertemplate: "%{customdata}<extra></extra>",
          base: pieces.map((q) => Math.max(q.from, a) / 1e6),
          x: pieces.map((q) => (Math.min(q.to, b) - Math.max(q.from, a)) / 1e6),
          customdata: pieces.map((q) => hoverText(row.lane, key, q)),
          /* An edge, because yellow on white and black on dark are hard to see without. */
          marker: { color: fill, line: { width: pieces.map((q) => (px(q.to) - px(q.from) > 3 ? 0.7 : 0)), color: c.muted },
            pattern: { shape: HATCH[key] || "", fillmode: "overlay", fgcolor: inkOn(fill), fgopacity: 0.25, size: 7, solidity: 0.2 } },
        });
      }
    }
    return traces;
  }

  /* Names inside the state bands, clear of the lines of marks, where they fit. */
  stateNames({ p, view, px }) {
    const text = { x: [], y: [], text: [], color: [] };
    const lines = this.data.marks.map((m) => m.t).concat(this.data.deadlines.map((d) => d.to));
    for (const row of p.rows) {
      if (row.lane.kind !== "state") continue;
      for (const piece of this.signals.get(row.lane.channels[0]).pieces(view[0], view[1], this.end)) {
        const from = Math.max(piece.from, view[0]), to = Math.min(piece.to, view[1]);
        const stops = [from].concat(lines.filter((t) => t > from && t < to).sort((u, v) => u - v), to);
        let best = 0;
        stops.forEach((t, i) => {
          if (i && t - stops[i - 1] > stops[best + 1] - stops[best]) best = i - 1;
        });
        const label = words(piece.value);
        if (stops.length < 2 || px(stops[best + 1]) - px(stops[best]) < label.length * 6.4 + 8) continue;
        text.x.push((stops[best] + stops[best + 1]) / 2e6);
        text.y.push(row.centre);
        text.text.push(escapeText(label));
        text.color.push(inkOn(fillOf(piece.value)));
      }
    }
    return { type: "scatter", mode: "text", x: text.x, y: text.y, text: text.text, hoverinfo: "skip",
      textfont: { size: 11, color: text.color }, showlegend: false, xaxis: "x", yaxis: "y", cliponaxis: true };
  }

  /* The curves; during the proof test thin and grey, as what they show then is no movement and no dose. */
  curves({ p, c, a, b }) {
    const traces = [];
    p.curves.forEach((curve, index) => {
      curve.lane.channels.forEach((name, order) => {
        const signal = this.signals.get(name);
        const own = curve.lane.role === "dose"
          ? [{ color: c.dose, width: 2 }, { color: c.dose2, width: 2, dash: "5px,5px" }][order]
          : { color: c[curve.lane.role] || c.dose, width: 1.8 };
        for (const [tested, line] of [[true, { color: c.muted, width: 0.8 }], [false, own]]) {
          const course = { x: [], y: [] };
          for (const [from, to] of this.parts(a, b, tested)) {
            const piece = signal.points(from, to, this.end);
            course.x.push(...piece.x.map((t) => t / 1e6), null);
            course.y.push(...piece.y, null);
          }
          traces.push({ type: "scatter", mode: "lines", x: course.x, y: course.y, line: line, hoverinfo: "skip",
            connectgaps: false, showlegend: false, xaxis: "x", yaxis: "y" + (index + 2) });
        }
      });
    });
    return traces;
  }

  /* The parts of [a, b] that belong to a proof test, or those that do not. */
  parts(a, b, tested) {
    const inside = this.testing.filter((q) => q.to > a && q.from < b).map((q) => [Math.max(a, q.from), Math.min(b, q.to)]);
    if (tested) return inside;
    const edges = [a].concat(...inside, b), found = [];
    for (let i = 0; i < edges.length; i += 2) if (edges[i] < edges[i + 1]) found.push([edges[i], edges[i + 1]]);
    return found;
  }

  axes({ p, c, view }) {
    const base = { fixedrange: true, zeroline: false, showgrid: false, automargin: false, ticks: "",
      tickfont: { size: 11, color: c.muted } };
    const ticks = timeTicks(view[0], view[1], p.narrow ? 4 : 9);
    const layout = {
      xaxis: { range: view.map((t) => t / 1e6), anchor: "free", position: 0, side: "bottom", zeroline: false,
        title: { text: "simulated time, min:s", font: { size: 11, color: c.muted }, standoff: 6 },
        tickmode: "array", tickvals: ticks.at.map((t) => t / 1e6), ticktext: ticks.text, gridcolor: c.line,
        tickfont: { size: 11, color: c.muted }, linecolor: c.line, ticks: "outside", tickcolor: c.line, ticklen: 4,
        minallowed: this.whole[0] / 1e6, maxallowed: this.whole[1] / 1e6, tickangle: 0 },
      yaxis: Object.assign({}, base, {
        domain: [1 - Math.max(p.digital, 1) / p.total, 1], range: [Math.max(p.digital, 1), 0],
        tickmode: "array", showticklabels: !p.narrow, tickfont: { size: 11, color: c.ink },
        tickvals: p.rows.map((row) => row.top + row.height / 2),
        ticktext: p.rows.map((row) => escapeText(short(row.lane.title, 18)) + " "),
      }),
    };
    p.curves.forEach((curve, index) => {
      const [low, high] = this.heights(curve, view), pad = (high - low) * 0.07, most = p.onPaper ? 3 : 4;
      const turns = curve.lane.role === "gantry" && [45, 90, 180, 360].find((step) => (high - low) / step <= most);
      layout["yaxis" + (index + 2)] = Object.assign({}, base, {
        domain: [1 - (curve.top + curve.height) / p.total, 1 - curve.top / p.total], range: [low - pad, high + pad],
        showgrid: true, gridcolor: c.line, exponentformat: "none", separatethousands: false,
      }, turns && high - low > 45 ? { dtick: turns, tick0: 0 } : { nticks: most });
    });
    return layout;
  }

  range(name) {
    if (!this.ranges.has(name)) this.ranges.set(name, this.signals.get(name).range(this.end, this.testing));
    return this.ranges.get(name);
  }

  /* From where to where a lane reaches: as in the whole session, or close up what moves in view. A rate
     always starts at zero, and a curve that stands still is not magnified into noise. */
  heights(curve, view) {
    const found = curve.lane.channels.map((name) => this.range(name));
    let low = Math.min(...found.map((r) => r[0])), high = Math.max(...found.map((r) => r[1]));
    if (low > 0 && (low < high * 0.7 || curve.lane.role === "rate")) low = 0;
    if (low === high) [low, high] = low === 0 ? [0, 1] : [low - 1, low + 1];
    if (view[1] - view[0] >= 10e6 || curve.lane.role === "rate") return [low, high];
    const seen = curve.lane.channels.flatMap((name) => this.signals.get(name).points(Math.max(0, view[0]), view[1], this.end).y);
    const least = Math.min(...seen), most = Math.max(...seen);
    if (!seen.length || most - least < (high - low) / 1e4) return [Math.min(low, least), Math.max(high, most)];
    return [least, most];
  }

  titles({ p, c }) {
    const notes = p.curves.map((curve) => {
      let text = "<b>" + escapeText(curve.lane.title) + "</b>" + (curve.lane.unit ? ", " + escapeText(curve.lane.unit) : "")
        + (curve.lane.hint ? " (" + escapeText(curve.lane.hint) + ")" : "");
      if (curve.lane.role === "dose" && curve.lane.channels.length > 1) {
        text += "   <span style=\"color:" + c.dose + "\">\u2501\u2501</span> primary  <span style=\"color:" + c.dose2
          + "\">\u254d\u254d</span> secondary";
      }
      return note(text, 0, 1 - curve.top / p.total, { xref: "paper", xanchor: "left", yanchor: "bottom", font: { size: 11.5, color: c.ink } });
    });
    if (p.narrow) {
      for (const row of p.rows) {
        notes.push(note(escapeText(row.lane.title), 0, 1 - row.top / p.total,
          { xref: "paper", xanchor: "left", yanchor: "top", font: { size: 10.5, color: c.ink }, yshift: 2 }));
      }
    }
    return notes;
  }

  /* Lines for marks and spans for deadlines, with labels above where there is room. */
  marks({ p, c, view, px }) {
    const shapes = [], wanted = [];
    p.rows.forEach((row, i) => {
      if (i % 2 === 0) {
        shapes.push({ type: "rect", layer: "below", xref: "paper", yref: "paper", x0: 0, x1: 1, line: { width: 0 },
          y0: 1 - (row.top + row.height) / p.total, y1: 1 - row.top / p.total, fillcolor: c.band });
      }
    });
    const spans = new Set();
    for (const d of this.data.deadlines) {
      if (d.to < view[0] || d.from > view[1] || px(d.to) - px(d.from) < 2) continue;
      const colour = d.ok ? c.pass : c.fail;
      wanted.push({ t: d.to, sign: "\u258c", label: d.label, colour: colour, rank: 1 });
      if (spans.has(d.from + " " + d.to + d.ok)) continue;
      spans.add(d.from + " " + d.to + d.ok);
      shapes.push({ type: "rect", layer: "below", xref: "x", yref: "paper", x0: d.from / 1e6, x1: d.to / 1e6, y0: 0, y1: 1,
        fillcolor: colour, opacity: 0.13, line: { width: 0 } });
      shapes.push({ type: "line", xref: "x", yref: "paper", x0: d.to / 1e6, x1: d.to / 1e6, y0: 0, y1: 1,
        line: { color: colour, width: 1.4, dash: "dash" } });
    }
    for (const m of this.data.marks) {
      if (m.t < view[0] || m.t > view[1]) continue;
      shapes.push({ type: "line", xref: "x", yref: "paper", x0: m.t / 1e6, x1: m.t / 1e6, y0: 0, y1: 1,
        line: { color: c[m.kind], width: 1.6, dash: m.kind === "violation" ? "dot" : "solid" } });
      wanted.push({ t: m.t, sign: SIGN[m.kind], label: m.label, colour: c[m.kind], rank: 0 });
    }
    return { shapes: shapes, notes: labels(wanted, p, c, px) };
  }
}

/* As many labels as fit into four rows, marks before deadlines, none over another. */
function labels(wanted, p, c, px) {
  const ends = [[], [], [], []], notes = [];
  wanted.sort((u, v) => u.rank - v.rank || u.t - v.t);
  for (const w of wanted) {
    const label = short(w.label, p.narrow ? 22 : 46), width = label.length * 6.1 + 20;
    const x = px(w.t), left = x + width > p.inner;
    if (left && x - width < -p.margin.l) continue;
    const taken = [left ? x - width : x - 4, left ? x + 4 : x + width];
    const row = ends.findIndex((used) => used.every(([u, v]) => taken[1] < u || taken[0] > v));
    if (row < 0) continue;
    ends[row].push(taken);
    const sign = "<span style=\"color:" + w.colour + "\">" + w.sign + "</span>";
    notes.push(note(left ? escapeText(label) + " " + sign : sign + " " + escapeText(label), w.t / 1e6, 1, {
      xanchor: left ? "right" : "left", yanchor: "bottom", yshift: 2 + row * 15, xshift: left ? 6 : -6,
      font: { size: 11, color: c.ink } }));
  }
  return notes;
}

function note(text, x, y, more) {
  return Object.assign({ text: text, x: x, y: y, xref: "x", yref: "paper", showarrow: false, borderpad: 0 }, more);
}

function hoverText(lane, key, piece) {
  const decimals = piece.to - piece.from < 1e6 ? 6 : 3;
  return "<b>" + escapeText(lane.title) + (key === "on" ? "" : ": " + escapeText(words(key))) + "</b><br>"
    + (lane.hint ? escapeText(lane.hint) + "<br>" : "")
    + clock(piece.from, decimals) + " to " + clock(piece.to, decimals) + "<br>for " + span(piece.to - piece.from);
}
