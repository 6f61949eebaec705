"use strict";
/* The dose on the page: slices by view, and the dose to each target over the session. */

class DosePictures {
  constructor(data, marks, plotly) {
    this.data = data;
    this.marks = marks;
    this.plotly = plotly;
    this.isodoses = new Isodoses(data);
    this.view = 0;
    this.whole = false;
    this.against = "t";
    this.paper = null;
    this.dark = window.matchMedia("(prefers-color-scheme: dark)");
    this.box = document.getElementById("dose-pictures");
    this.draw();
    this.listen();
  }

  get look() {
    return { width: this.paper || this.box.clientWidth, whole: this.whole, isDark: this.dark.matches && !this.paper };
  }

  draw() {
    const config = { displayModeBar: false, doubleClick: false, responsive: false, scrollZoom: false }, look = this.look;
    const view = this.data.views[this.view];
    for (const part of document.querySelectorAll("[data-view]")) part.hidden = Number(part.dataset.view) !== this.view;
    view.planes.forEach((_, i) => {
      const drawn = this.isodoses.draw(view, i, look);
      this.plotly.react(document.getElementById("slice-" + this.view + "-" + i), drawn.traces, drawn.layout, config);
    });
    this.key(view, look.isDark);
    const grown = grownFigure(this.data, this.marks, Object.assign({ against: this.against }, look));
    this.plotly.react(document.getElementById("grown-plot"), grown.traces, grown.layout, config);
    this.drawn = look.width;
    const pressed = (button, on) => button.setAttribute("aria-pressed", String(on));
    for (const b of this.box.querySelectorAll("[data-show]")) pressed(b, Number(b.dataset.show) === this.view);
    for (const b of this.box.querySelectorAll("[data-reach]")) pressed(b, (b.dataset.reach === "whole") === this.whole);
    for (const b of this.box.querySelectorAll("[data-against]")) pressed(b, b.dataset.against === this.against);
  }

  /* Which line and which colour is how much: the same for planned and delivered, and for both planes. */
  key(view, isDark) {
    const wash = isDark ? "dark" : "light", list = document.getElementById("isodose-key"), c = colours(isDark);
    list.textContent = "";
    const entry = (colour, text, thick) => {
      const item = document.createElement("li"), swatch = document.createElement("i");
      swatch.style.background = colour;
      swatch.style.borderColor = c.ink;
      swatch.style.borderWidth = thick ? "2px" : "1px";
      item.append(swatch, text);
      list.append(item);
    };
    for (const level of view.levels) {
      const gy = level / 100 * view.reference;
      entry(washed(WASH[wash], gy / this.data.top), level + " %, " + gy.toFixed(2) + " Gy", level >= 95);
    }
    for (const part of [-1, 1]) {
      const gy = (part * this.data.span).toFixed(2).replace("-", "\u2212");
      entry(washed(OFF[wash], part / 2 + 0.5), "difference of " + (part > 0 ? "+" : "") + gy + " Gy", false);
    }
  }

  listen() {
    this.box.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.show) this.view = Number(button.dataset.show);
      if (button.dataset.reach) this.whole = button.dataset.reach === "whole";
      if (button.dataset.against) this.against = button.dataset.against;
      this.draw();
    });
    new ResizeObserver(() => {
      if (!this.paper && this.drawn !== this.box.clientWidth) this.draw();
    }).observe(this.box);
    this.dark.addEventListener("change", () => this.draw());
    window.addEventListener("beforeprint", () => { this.paper = 690; this.draw(); });
    window.addEventListener("afterprint", () => { this.paper = null; this.draw(); });
  }
}

/* Dose at the centre of every target, own and cross dose stacked, against time or MU: {traces, layout}. */
function grownFigure(data, marks, { width, isDark, against }) {
  const { t, mu, targets } = data.progress, c = colours(isDark), narrow = width < 620, each = 96, gap = 30;
  const x = against === "t" ? t.map((v) => v / 1e6) : mu, total = targets.length * (each + gap) - gap;
  const traces = [], shapes = [], notes = [], end = x[x.length - 1], layout = {};
  const ticks = timeTicks(0, t[t.length - 1], narrow ? 4 : 9);
  targets.forEach((target, i) => {
    const n = i ? i + 1 : "", planned = data.planned[target.name] || {}, axes = { xaxis: "x", yaxis: "y" + n };
    const whole = target.own.map((gy, k) => gy + target.cross[k]), top = 1 - i * (each + gap) / total;
    const common = Object.assign({ type: "scatter", mode: "lines", x: x, hoverinfo: "skip" }, axes);
    traces.push(Object.assign({}, common, { y: target.own, fill: "tozeroy", fillcolor: c.own, line: { color: c.dose, width: 1 } }));
    traces.push(Object.assign({}, common, { y: whole, fill: "tonexty", fillcolor: c.cross, line: { color: c.dose2, width: 1.6 },
      hoverinfo: "text", text: whole.map((gy, k) => escapeText(target.name) + " " + gy.toFixed(2) + " Gy: own " + target.own[k].toFixed(2)
        + ", other beams " + target.cross[k].toFixed(2) + "<br>" + clock(t[k], 3) + ", " + mu[k].toFixed(1) + " MU") }));
    for (const [gy, dash] of [[planned.all, "dash"], [planned.own, "dot"]]) {
      if (typeof gy !== "number") continue;
      shapes.push({ type: "line", name: "planned", xref: "x", yref: "y" + n, x0: 0, x1: end, y0: gy, y1: gy, line: { color: c.ink, width: 1.2, dash: dash } });
    }
    const most = Math.max(...whole, planned.all || 0, 0.1) * 1.08;
    layout["yaxis" + n] = { domain: [Math.max(0, top - each / total), top], range: [0, most], fixedrange: true, zeroline: false, gridcolor: c.line,
      nticks: 4, tickfont: { size: 11, color: c.muted }, anchor: "x" };
    notes.push(note("<b>" + escapeText(short(target.name, 30)) + "</b>, Gy", 0, top, { xref: "paper", xanchor: "left", yanchor: "bottom",
      font: { size: 11.5, color: c.ink } }));
  });
  if (against === "t") {
    for (const m of marks) {
      shapes.push({ type: "line", xref: "x", yref: "paper", x0: m.t / 1e6, x1: m.t / 1e6, y0: 0, y1: 1, line: { color: c[m.kind], width: 1.2 } });
    }
  }
  Object.assign(layout, {
    xaxis: Object.assign({ range: [0, end || 1], fixedrange: true, zeroline: false, gridcolor: c.line, tickfont: { size: 11, color: c.muted },
      tickangle: 0, anchor: "free", position: 0, title: { text: against === "t" ? "simulated time, min:s" : "MU delivered in this session",
        font: { size: 11, color: c.muted }, standoff: 6 } },
      against === "t" ? { tickmode: "array", tickvals: ticks.at.map((v) => v / 1e6), ticktext: ticks.text } : { nticks: narrow ? 4 : 9 }),
    width: width, height: total + 20 + 46, margin: { l: 44, r: 12, t: 20, b: 46, pad: 0 }, shapes: shapes, annotations: notes,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: "closest", dragmode: false, separators: ".",
    hoverlabel: { font: { size: 12 }, align: "left" },
    font: { family: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif", color: c.ink },
  });
  return { traces: traces, layout: layout };
}
