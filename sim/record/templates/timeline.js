"use strict";
/* The timeline: lanes over one shared time axis. Times are in us, the axis is in seconds. */

function startTimeline(data, plotly) {
  const box = document.getElementById("timeline-box");
  const plot = document.getElementById("timeline-plot");
  const cursorLine = document.getElementById("cursor");
  const markLine = document.getElementById("reference");
  const signals = new Map(data.signals.map((raw) => [raw.name, new Signal(raw)]));
  const end = data.end;
  /* The proof test drives inputs to their limits: no reason to squeeze the rest of the curve. */
  const stateLane = data.lanes.find((lane) => lane.kind === "state" && lane.role === "state");
  const testing = stateLane
    ? signals.get(stateLane.channels[0]).pieces(0, end, end).filter((piece) => piece.value === "check") : [];
  const labelled = data.marks.length + data.deadlines.length > 0;
  const ranges = new Map();
  const rangeOf = (name) => {
    if (!ranges.has(name)) ranges.set(name, signals.get(name).range(end, testing));
    return ranges.get(name);
  };
  const whole = [-end * 0.004, end * 1.004];
  const smallest = 200;                                     // us
  let view = whole.slice(), cursor = null, reference = null, paper = null;

  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  /* Where everything stands, in px from the top of the plot area. */
  function places() {
    const width = paper || box.clientWidth, narrow = width < 620;
    const lanes = data.lanes.filter((lane) => lane.shown);
    const margin = { l: narrow ? 46 : 138, r: narrow ? 8 : 16, t: labelled ? (paper ? 50 : 70) : 14, b: 40, pad: 0 };
    let y = 0;
    const rows = [], curves = [];
    for (const lane of lanes) {
      if (lane.kind === "number") continue;
      const height = (lane.kind === "state" ? 34 : paper ? 19 : 22) + (narrow ? 13 : 0);
      rows.push({ lane: lane, top: y, height: height, bar: lane.kind === "state" ? 26 : 14 });
      y += height;
    }
    const digital = y;
    for (const lane of lanes) {
      if (lane.kind !== "number") continue;
      y += 24;
      curves.push({ lane: lane, top: y, height: (lane.role === "dose" ? 120 : 84) * (paper ? 0.7 : 1) });
      y += curves[curves.length - 1].height;
    }
    const total = Math.max(y, 60);
    return { width, narrow, margin, rows, curves, digital, total, inner: width - margin.l - margin.r };
  }

  function rowTraces(p, c, a, b) {
    const traces = [], px = (t) => (t - view[0]) / (view[1] - view[0]) * p.inner;
    for (const row of p.rows) {
      const signal = signals.get(row.lane.channels[0]);
      const centre = row.top + (p.narrow ? 13 + (row.height - 13) / 2 : row.height / 2);
      const groups = new Map();
      for (const piece of signal.pieces(a, b, end)) {
        if (piece.value === false || piece.to < a) continue;
        const key = piece.value === true ? "on" : piece.value;
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key).push(piece);
      }
      for (const [key, pieces] of groups) {
        const fill = key === "on" ? ROLE[row.lane.role] || ROLE.other : FILL[key] || "#8a97a5";
        traces.push({
          type: "bar", orientation: "h", xaxis: "x", yaxis: "y", showlegend: false,
          y: pieces.map(() => centre), width: row.bar, hovertemplate: "%{customdata}<extra></extra>",
          base: pieces.map((q) => Math.max(q.from, a) / 1e6),
          x: pieces.map((q) => (Math.min(q.to, b) - Math.max(q.from, a)) / 1e6),
          customdata: pieces.map((q) => "<b>" + escapeText(row.lane.title) + (key === "on" ? "" : ": " + escapeText(key))
            + "</b><br>" + (row.lane.hint ? escapeText(row.lane.hint) + "<br>" : "")
            + (q.from / 1e6).toFixed(3) + " s to " + (q.to / 1e6).toFixed(3) + " s<br>for " + span(q.to - q.from)),
          marker: { color: fill,
            line: { width: pieces.map((q) => (row.lane.role === "beam" && px(q.to) - px(q.from) > 8 ? 0.6 : 0)), color: c.muted },
            pattern: { shape: HATCH[key] || "", fillmode: "overlay", fgcolor: inkOn(fill), fgopacity: 0.25, size: 7, solidity: 0.2 } },
        });
      }
    }
    return traces;
  }

  /* Names inside the state bands, in the middle of what is visible of each, where they fit. */
  function stateNames(p) {
    const text = { x: [], y: [], text: [], color: [] };
    const perPixel = (view[1] - view[0]) / p.inner;
    for (const row of p.rows) {
      if (row.lane.kind !== "state") continue;
      for (const piece of signals.get(row.lane.channels[0]).pieces(view[0], view[1], end)) {
        const from = Math.max(piece.from, view[0]), to = Math.min(piece.to, view[1]);
        const label = piece.value.replace(/_/g, " ");
        if ((to - from) / perPixel < label.length * 6.4 + 8) continue;
        text.x.push((from + to) / 2e6);
        text.y.push(row.top + (p.narrow ? 13 + (row.height - 13) / 2 : row.height / 2));
        text.text.push(escapeText(label));
        text.color.push(inkOn(FILL[piece.value] || "#8a97a5"));
      }
    }
    return { type: "scatter", mode: "text", x: text.x, y: text.y, text: text.text, hoverinfo: "skip",
      textfont: { size: 11, color: text.color }, showlegend: false, xaxis: "x", yaxis: "y", cliponaxis: true };
  }

  function curveTraces(p, c, a, b) {
    const traces = [];
    p.curves.forEach((curve, index) => {
      curve.lane.channels.forEach((name, order) => {
        const course = signals.get(name).points(a, b, end);
        const line = curve.lane.role === "dose"
          ? [{ color: c.dose, width: 2 }, { color: c.dose2, width: 6 }][order]
          : { color: c[curve.lane.role] || c.dose, width: 1.8 };
        traces.push({ type: "scatter", mode: "lines", x: course.x.map((t) => t / 1e6), y: course.y, line: line,
          opacity: order ? 0.55 : 1, hoverinfo: "skip", showlegend: false, xaxis: "x", yaxis: "y" + (index + 2) });
      });
    });
    return traces.reverse();                               // the second dose channel lies under the first
  }

  function axes(p, c) {
    const base = { fixedrange: true, zeroline: false, showgrid: false, automargin: false, ticks: "",
      tickfont: { size: 11, color: c.muted } };
    const layout = {
      xaxis: { range: view.map((t) => t / 1e6), anchor: "free", position: 0, side: "bottom", zeroline: false,
        ticksuffix: " s", exponentformat: "none", separatethousands: false, gridcolor: c.line, nticks: p.narrow ? 4 : 9,
        tickfont: { size: 11, color: c.muted }, linecolor: c.line, ticks: "outside", tickcolor: c.line, ticklen: 4,
        minallowed: whole[0] / 1e6, maxallowed: whole[1] / 1e6, tickangle: 0 },
      yaxis: Object.assign({}, base, {
        domain: [1 - Math.max(p.digital, 1) / p.total, 1], range: [Math.max(p.digital, 1), 0],
        tickmode: "array", showticklabels: !p.narrow, tickfont: { size: 11, color: c.ink },
        tickvals: p.rows.map((row) => row.top + row.height / 2),
        ticktext: p.rows.map((row) => escapeText(short(row.lane.title, 18)) + " "),
      }),
    };
    p.curves.forEach((curve, index) => {
      const found = curve.lane.channels.map(rangeOf);
      let low = Math.min(...found.map((r) => r[0])), high = Math.max(...found.map((r) => r[1]));
      if (low > 0 && low < high * 0.7) low = 0;
      if (low === high) {
        low = Math.min(0, low);
        high = high > low ? high : low + 1;
      }
      if (view[1] - view[0] < 10e6) [low, high] = fitted(curve, (high - low) / 1500) || [low, high];
      const pad = (high - low) * 0.07;
      layout["yaxis" + (index + 2)] = Object.assign({}, base, {
        domain: [1 - (curve.top + curve.height) / p.total, 1 - curve.top / p.total], range: [low - pad, high + pad],
        showgrid: true, gridcolor: c.line, nticks: 4, exponentformat: "none", separatethousands: false,
      });
    });
    return layout;
  }

  /* Close up, a lane shows what its curves do in view; never less than the given height. */
  function fitted(curve, least) {
    const seen = curve.lane.channels.flatMap((name) => signals.get(name).points(Math.max(0, view[0]), view[1], end).y);
    if (!seen.length) return null;
    const low = Math.min(...seen), high = Math.max(...seen), spare = Math.max(0, least - (high - low)) / 2;
    return [low - spare, high + spare];
  }

  function titles(p, c) {
    const notes = p.curves.map((curve) => {
      let text = "<b>" + escapeText(curve.lane.title) + "</b>" + (curve.lane.unit ? ", " + escapeText(curve.lane.unit) : "");
      if (curve.lane.role === "dose" && curve.lane.channels.length > 1) {
        text += "   <span style=\"color:" + c.dose + "\">\u2501</span> primary  <span style=\"color:" + c.dose2
          + "\">\u2501</span> secondary";
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

  function note(text, x, y, more) {
    return Object.assign({ text: text, x: x, y: y, xref: "x", yref: "paper", showarrow: false, borderpad: 0 }, more);
  }

  /* Lines for marks and spans for deadlines, with labels above where there is room. */
  function marks(p, c) {
    const shapes = [], wanted = [];
    const px = (t) => (t - view[0]) / (view[1] - view[0]) * p.inner;
    p.rows.forEach((row, i) => {
      if (i % 2 === 0) {
        shapes.push({ type: "rect", layer: "below", xref: "paper", yref: "paper", x0: 0, x1: 1, line: { width: 0 },
          y0: 1 - (row.top + row.height) / p.total, y1: 1 - row.top / p.total, fillcolor: c.band });
      }
    });
    const spans = new Set();
    for (const d of data.deadlines) {
      if (d.to < view[0] || d.from > view[1] || px(d.to) - px(d.from) < 2) continue;
      const colour = d.ok ? c.pass : c.fail;
      wanted.push({ t: d.to, glyph: "\u258c", label: d.label, colour: colour });
      if (spans.has(d.from + " " + d.to + d.ok)) continue;
      spans.add(d.from + " " + d.to + d.ok);
      shapes.push({ type: "rect", layer: "below", xref: "x", yref: "paper", x0: d.from / 1e6, x1: d.to / 1e6, y0: 0, y1: 1,
        fillcolor: colour, opacity: 0.13, line: { width: 0 } });
      shapes.push({ type: "line", xref: "x", yref: "paper", x0: d.to / 1e6, x1: d.to / 1e6, y0: 0, y1: 1,
        line: { color: colour, width: 1.4, dash: "dash" } });
    }
    for (const m of data.marks) {
      if (m.t < view[0] || m.t > view[1]) continue;
      const [glyph, colour] = MARK[m.kind];
      shapes.push({ type: "line", xref: "x", yref: "paper", x0: m.t / 1e6, x1: m.t / 1e6, y0: 0, y1: 1,
        line: { color: colour, width: 1.6 } });
      wanted.unshift({ t: m.t, glyph: glyph, label: m.label, colour: colour });
    }
    const ends = [[], [], [], []], notes = [];
    const priority = (w) => (w.glyph === "\u258c" ? 1 : 0);
    wanted.sort((u, v) => priority(u) - priority(v) || u.t - v.t);
    for (const w of wanted) {
      const label = short(w.label, p.narrow ? 22 : 46), width = label.length * 6.1 + 20;
      const x = px(w.t), left = x + width > p.inner;
      if (left && x - width < -p.margin.l) continue;
      const taken = [left ? x - width : x - 4, left ? x + 4 : x + width];
      const row = ends.findIndex((used) => used.every(([u, v]) => taken[1] < u || taken[0] > v));
      if (row < 0) continue;
      ends[row].push(taken);
      const sign = "<span style=\"color:" + w.colour + "\">" + w.glyph + "</span>";
      notes.push(note(left ? escapeText(label) + " " + sign : sign + " " + escapeText(label), w.t / 1e6, 1, {
        xanchor: left ? "right" : "left", yanchor: "bottom", yshift: 2 + row * 15, xshift: left ? 6 : -6,
        font: { size: 11, color: c.ink } }));
    }
    return { shapes: shapes, notes: notes };
  }

  function draw() {
    const p = places(), c = colours(dark.matches && !paper);
    const width = view[1] - view[0], a = Math.max(0, view[0] - width), b = Math.min(end, view[1] + width);
    const traces = rowTraces(p, c, a, b).concat([stateNames(p)], curveTraces(p, c, a, b));
    const marked = marks(p, c);
    const layout = Object.assign(axes(p, c), {
      width: p.width, height: p.total + p.margin.t + p.margin.b, margin: p.margin, barmode: "overlay", bargap: 0,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: "closest", separators: ".",
      dragmode: window.matchMedia("(pointer: coarse)").matches ? false : "zoom",
      font: { family: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif", color: c.ink },
      shapes: marked.shapes, annotations: titles(p, c).concat(marked.notes),
      hoverlabel: { font: { size: 12 }, align: "left" },
    });
    plotly.react(plot, traces, layout, { displayModeBar: false, doubleClick: false, responsive: false });
    placeCursors(p);
    overview();
    document.getElementById("view-span").textContent =
      (Math.max(0, view[0]) / 1e6).toFixed(3) + " s to " + (Math.min(end, view[1]) / 1e6).toFixed(3) + " s ("
      + span(Math.min(end, view[1]) - Math.max(0, view[0])) + " shown)";
    for (const button of document.querySelectorAll("#presets button")) {
      const [from, to] = button.dataset.zoom.split(",").map(Number);
      const same = button.dataset.kind === "whole" ? view[0] === whole[0] && view[1] === whole[1]
        : Math.abs(view[0] - from) < 1 && Math.abs(view[1] - to) < 1;
      button.setAttribute("aria-pressed", String(same));
    }
  }

  function show(from, to) {
    const width = clamp(to - from, smallest, whole[1] - whole[0]);
    const middle = (from + to) / 2;
    const start = clamp(middle - width / 2, whole[0], whole[1] - width);
    view = [start, start + width];
    draw();
  }

  function zoom(factor) {
    const width = (view[1] - view[0]) * factor;
    const centre = cursor !== null && cursor > view[0] && cursor < view[1] ? cursor : (view[0] + view[1]) / 2;
    const part = (centre - view[0]) / (view[1] - view[0]);
    show(centre - width * part, centre + width * (1 - part));
  }

  const pan = (part) => show(view[0] + part * (view[1] - view[0]), view[1] + part * (view[1] - view[0]));

  /* The strip above the plot: the whole session, and which part of it is shown. */
  function overview() {
    const strip = document.getElementById("overview"), part = (t) => (clamp(t, 0, end) / end * 100).toFixed(3) + "%";
    const windowBox = document.getElementById("overview-window");
    windowBox.style.left = part(view[0]);
    windowBox.style.width = "max(3px, " + (clamp(view[1], 0, end) - clamp(view[0], 0, end)) / end * 100 + "%)";
    if (strip.dataset.drawn) return;
    strip.dataset.drawn = "1";
    const add = (from, to, colour, name) => {
      const piece = document.createElement("i");
      piece.className = name;
      piece.style.left = part(from);
      if (to !== null) piece.style.width = (to - from) / end * 100 + "%";
      piece.style.background = colour;
      strip.insertBefore(piece, windowBox);
    };
    if (stateLane) {
      for (const q of signals.get(stateLane.channels[0]).pieces(0, end, end)) add(q.from, q.to, FILL[q.value] || "#8a97a5", "band");
    }
    for (const m of data.marks) add(m.t, null, MARK[m.kind][1], "tick");
  }

  function placeCursors(p) {
    for (const [line, t] of [[cursorLine, cursor], [markLine, reference]]) {
      const visible = t !== null && t >= view[0] && t <= view[1];
      line.hidden = !visible;
      if (visible) {
        line.style.left = p.margin.l + (t - view[0]) / (view[1] - view[0]) * p.inner + "px";
        line.style.top = p.margin.t + "px";
        line.style.height = p.total + "px";
      }
    }
  }

  function readOut() {
    const list = document.getElementById("readout");
    list.textContent = "";
    const add = (name, value, kind) => {
      const item = document.createElement("span");
      if (kind) item.className = kind;
      const label = document.createElement("span");
      label.className = "name";
      label.textContent = name;
      const number = document.createElement("b");
      number.textContent = value;
      item.append(label, number);
      list.append(item);
    };
    if (cursor === null) return;
    add("time", (cursor / 1e6).toFixed(view[1] - view[0] < 1e6 ? 6 : 3) + " s", "when");
    add("clock", clock(cursor), "when");
    if (reference !== null) add("from reference", (cursor >= reference ? "+" : "\u2212") + span(Math.abs(cursor - reference)), "when");
    for (const lane of data.lanes) {
      if (!lane.shown) continue;
      lane.channels.forEach((name, i) => {
        const signal = signals.get(name), value = signal.at(cursor);
        const title = i === 0 ? lane.title : name.replace(/_/g, " ");
        if (value === null) add(title, "\u2014");
        else if (signal.kind === "bool") add(title, value ? "yes" : "no", value ? "on" : "");
        else if (signal.kind === "state") add(title, value.replace(/_/g, " "));
        else add(title, value.toFixed(Math.abs(value) < 1000 ? 3 : 2) + (signal.unit ? " " + signal.unit : ""));
      });
    }
  }

  function moveCursor(t) {
    cursor = t === null ? null : Math.round(clamp(t, 0, end));
    placeCursors(places());
    readOut();
  }

  function setReference() {
    if (cursor === null) return;
    reference = cursor;
    placeCursors(places());
    readOut();
  }

  function timeUnder(event) {
    const p = places(), at = event.clientX - box.getBoundingClientRect().left - p.margin.l;
    return at < 0 || at > p.inner ? null : view[0] + at / p.inner * (view[1] - view[0]);
  }

  function listen() {
    let pressed = null;
    box.addEventListener("pointermove", (event) => {
      const t = timeUnder(event);
      if (t !== null) moveCursor(t);
    });
    box.addEventListener("pointerdown", (event) => {
      pressed = [event.clientX, event.clientY];
    });
    window.addEventListener("pointerup", (event) => {
      if (pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) < 4) {
        const t = timeUnder(event);
        if (t !== null) {
          moveCursor(t);
          setReference();
        }
      }
      pressed = null;
    });
    box.addEventListener("keydown", (event) => {
      const step = (view[1] - view[0]) / 200;
      const from = cursor !== null && cursor >= view[0] && cursor <= view[1] ? cursor : (view[0] + view[1]) / 2;
      const keys = {
        ArrowLeft: () => (event.shiftKey ? pan(-0.25) : moveCursor(from - step)),
        ArrowRight: () => (event.shiftKey ? pan(0.25) : moveCursor(from + step)),
        "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), Home: () => show(whole[0], whole[1]),
        "0": () => show(whole[0], whole[1]), r: setReference,
      };
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
    plot.on("plotly_relayout", (change) => {
      const range = change["xaxis.range"] || [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (range[0] !== undefined && range[1] !== undefined) show(range[0] * 1e6, range[1] * 1e6);
    });
    plot.on("plotly_doubleclick", () => show(whole[0], whole[1]));
    const actions = { in: () => zoom(0.5), out: () => zoom(2), left: () => pan(-0.25), right: () => pan(0.25) };
    for (const button of document.querySelectorAll("[data-move]")) {
      button.addEventListener("click", actions[button.dataset.move]);
    }
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-zoom]");
      if (!button) return;
      const [from, to] = button.dataset.zoom.split(",").map(Number);
      if (button.dataset.kind === "whole") show(whole[0], whole[1]); else show(from, to);
      if (button.dataset.at) moveCursor(Number(button.dataset.at));
      if (!button.closest("#timeline")) document.getElementById("timeline").scrollIntoView({ block: "start" });
    });
    document.getElementById("overview").addEventListener("click", (event) => {
      const area = event.currentTarget.getBoundingClientRect(), width = view[1] - view[0];
      const t = (event.clientX - area.left) / area.width * end;
      show(t - width / 2, t + width / 2);
    });
    for (const tick of document.querySelectorAll("[data-lane]")) {
      tick.addEventListener("change", () => {
        data.lanes[Number(tick.dataset.lane)].shown = tick.checked;
        draw();
        readOut();
      });
    }
    new ResizeObserver(() => {
      if (!paper && places().width !== (plot.layout || {}).width) draw();
    }).observe(box);
    dark.addEventListener("change", draw);
    window.addEventListener("beforeprint", () => {
      paper = 690;                                          // px: the text width of an A4 page
      draw();
    });
    window.addEventListener("afterprint", () => {
      paper = null;
      draw();
    });
  }

  draw();
  listen();
}
