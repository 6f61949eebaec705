"use strict";
/* The timeline on the page: what is in view, the cursor, the values under it. Times are in us. */

class Timeline {
  constructor(data, plotly) {
    this.data = data;
    this.plotly = plotly;
    this.figure = new Figure(data);
    this.box = document.getElementById("timeline-box");
    this.plot = document.getElementById("timeline-plot");
    this.whole = this.figure.whole;
    this.view = this.whole.slice();
    this.cursor = null;
    this.reference = null;
    this.paper = null;                                      // px: the width drawn for, while printing
    this.dark = window.matchMedia("(prefers-color-scheme: dark)");
    this.draw();
    this.stateKey();
  }

  draw() {
    const config = { displayModeBar: false, doubleClick: false, responsive: false };
    const drawn = this.figure.draw(this.view, this.paper || this.box.clientWidth, this.dark.matches && !this.paper, this.paper !== null);
    this.places = drawn.places;
    this.plotly.react(this.plot, drawn.traces, drawn.layout, config);
    this.placeCursors();
    this.overview();
    const from = Math.max(0, this.view[0]), to = Math.min(this.data.end, this.view[1]), decimals = to - from < 1e5 ? 6 : 3;
    document.getElementById("view-span").textContent =
      clock(from, decimals) + " to " + clock(to, decimals) + " min:s, " + span(to - from) + " shown";
    for (const button of document.querySelectorAll("#presets button")) {
      const [first, last] = button.dataset.zoom.split(",").map(Number);
      const same = button.dataset.kind === "whole" ? this.view[0] === this.whole[0] && this.view[1] === this.whole[1]
        : Math.abs(this.view[0] - first) < 1 && Math.abs(this.view[1] - last) < 1;
      button.setAttribute("aria-pressed", String(same));
    }
  }

  show(from, to) {
    const width = clamp(to - from, 200, this.whole[1] - this.whole[0]);
    const start = clamp((from + to) / 2 - width / 2, this.whole[0], this.whole[1] - width);
    this.view = [start, start + width];
    this.draw();
  }

  showAll() {
    this.show(this.whole[0], this.whole[1]);
  }

  /* Around an instant that stays where it is: the one given, else the cursor, else the middle. */
  zoom(factor, around) {
    const [from, to] = this.view, given = around === undefined ? this.cursor : around;
    const centre = given !== null && given > from && given < to ? given : (from + to) / 2;
    const part = (centre - from) / (to - from), width = clamp((to - from) * factor, 200, this.whole[1] - this.whole[0]);
    this.show(centre - width * part, centre + width * (1 - part));
  }

  pan(part) {
    const step = part * (this.view[1] - this.view[0]);
    this.show(this.view[0] + step, this.view[1] + step);
  }

  /* The strip above the plot: the whole session, and which part of it is shown. */
  overview() {
    const end = this.data.end, strip = document.getElementById("overview");
    const part = (t) => (clamp(t, 0, end) / end * 100).toFixed(3) + "%";
    const frame = document.getElementById("overview-window");
    frame.style.left = part(this.view[0]);
    frame.style.width = "max(3px, " + (clamp(this.view[1], 0, end) - clamp(this.view[0], 0, end)) / end * 100 + "%)";
    if (strip.dataset.drawn) return;
    strip.dataset.drawn = "1";
    const add = (from, to, name, colour) => {
      const piece = document.createElement("i");
      piece.className = name;
      piece.style.left = part(from);
      if (to !== null) piece.style.width = (to - from) / end * 100 + "%";
      if (colour) piece.style.background = colour;
      strip.insertBefore(piece, frame);
    };
    for (const q of this.states()) add(q.from, q.to, "band", fillOf(q.value));
    for (const m of this.data.marks) add(m.t, null, "tick " + m.kind, "");
  }

  states() {
    const lane = this.figure.stateLane, end = this.data.end;
    return lane ? this.figure.signals.get(lane.channels[0]).pieces(0, end, end) : [];
  }

  /* Which colour is which state, for those that occur. */
  stateKey() {
    const key = document.getElementById("state-key"), there = new Set(this.states().map((piece) => piece.value));
    for (const state of Object.keys(FILL).filter((name) => there.has(name))) {
      const entry = document.createElement("span"), swatch = document.createElement("i");
      swatch.style.background = fillOf(state);
      if (HATCH[state]) swatch.className = HATCH[state] === "x" ? "crossed" : "hatched";
      entry.append(swatch, words(state));
      key.append(entry);
    }
    key.hidden = !key.textContent;
  }

  placeCursors() {
    const p = this.places;
    for (const [id, t] of [["cursor", this.cursor], ["reference", this.reference]]) {
      const line = document.getElementById(id), visible = t !== null && t >= this.view[0] && t <= this.view[1];
      line.hidden = !visible;
      if (visible) {
        line.style.left = p.margin.l + (t - this.view[0]) / (this.view[1] - this.view[0]) * p.inner + "px";
        line.style.top = p.margin.t + "px";
        line.style.height = p.total + "px";
      }
    }
  }

  /* Every value at the cursor: [name, value, kind]. */
  values() {
    const t = this.cursor, fine = this.view[1] - this.view[0] < 1e6, found = [];
    found.push(["time", (t / 1e6).toFixed(fine ? 6 : 3) + " s", "when"], ["min:s", clock(t, fine ? 6 : 3), "when"]);
    if (this.reference !== null) {
      found.push(["from reference", (t >= this.reference ? "+" : "\u2212") + span(Math.abs(t - this.reference)), "when"]);
    }
    for (const lane of this.data.lanes) {
      if (!lane.shown) continue;
      lane.channels.forEach((name, i) => {
        const signal = this.figure.signals.get(name), value = signal.at(t), title = i === 0 ? lane.title : words(name);
        if (value === null) found.push([title, "\u2014", ""]);
        else if (signal.kind === "bool") found.push([title, value ? "yes" : "no", value ? "on" : ""]);
        else if (signal.kind === "state") found.push([title, words(value), ""]);
        else found.push([title, value.toFixed(Math.abs(value) < 1000 ? 3 : 2) + (signal.unit ? " " + signal.unit : ""), ""]);
      });
    }
    return found;
  }

  readOut(aloud) {
    const list = document.getElementById("readout");
    list.textContent = "";
    if (this.cursor === null) return;
    const found = this.values();
    for (const [name, value, kind] of found) {
      const item = document.createElement("span"), label = document.createElement("span"), number = document.createElement("b");
      item.className = kind;
      label.className = "name";
      label.textContent = name;
      number.textContent = value;
      item.append(label, number);
      list.append(item);
    }
    if (aloud) {
      document.getElementById("spoken").textContent = found.slice(1).map(([name, value]) => name + " " + value).join(", ");
    }
  }

  /* `aloud`: also to those who listen instead of looking; not while a pointer sweeps over the plot. */
  moveCursor(t, aloud) {
    this.cursor = Math.round(clamp(t, 0, this.data.end));
    this.placeCursors();
    this.readOut(aloud);
  }

  setReference() {
    if (this.cursor === null) return;
    this.reference = this.cursor;
    this.placeCursors();
    this.readOut(true);
  }

  showLane(index, shown) {
    this.data.lanes[index].shown = shown;
    this.draw();
    this.readOut();
  }

  /* On paper there is nothing to zoom: the whole session, and below it the first stop close up. */
  print() {
    this.paper = 690;                                       // px: the text width of an A4 page
    this.onScreen = this.view;
    const detail = this.data.detail;
    if (detail) {
      const drawn = this.figure.draw([detail.from, detail.to], this.paper, false, true);
      this.plotly.react(document.getElementById("detail-plot"), drawn.traces, drawn.layout, { displayModeBar: false, staticPlot: true });
    }
    this.showAll();
  }

  printed() {
    this.paper = null;
    this.plotly.purge(document.getElementById("detail-plot"));
    this.show(this.onScreen[0], this.onScreen[1]);
  }
}
