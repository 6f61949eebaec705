"use strict";
/* The recorded signals: decoding, values at an instant, and their course over a span. Times in us. */

class Signal {
  constructor(raw) {
    this.name = raw.name;
    this.kind = raw.kind;
    this.unit = raw.unit;
    this.words = raw.words || [];
    this.v = raw.v;
    this.s = raw.s || null;
    this.t = [];
    let t = 0;
    for (const step of raw.t) {
      t += step;
      this.t.push(t);
    }
  }

  /* Index of the last sample at or before t, or -1. */
  index(t) {
    let low = 0, high = this.t.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.t[middle] <= t) low = middle + 1; else high = middle;
    }
    return low - 1;
  }

  slope(i) {
    return this.s ? this.s[i] : 0;
  }

  at(t) {
    const i = this.index(t);
    if (i < 0) return null;
    if (this.kind === "bool") return this.v[i] === 1;
    if (this.kind === "state") return this.words[this.v[i]];
    return this.v[i] + this.slope(i) * (t - this.t[i]) / 1e6;
  }

  /* Pieces of constant value that touch [a, b], uncut: {from, to, value}. */
  pieces(a, b, end) {
    const found = [];
    for (let i = Math.max(0, this.index(a)); i < this.t.length && this.t[i] <= b; i++) {
      const to = i + 1 < this.t.length ? this.t[i + 1] : end;
      const value = this.kind === "state" ? this.words[this.v[i]] : this.v[i] === 1;
      found.push({ from: this.t[i], to: to, value: value });
    }
    return found;
  }

  /* The curve over [a, b] as points; a jump is two points at the same instant. */
  points(a, b, end) {
    const x = [], y = [];
    const last = Math.min(b, end);
    let i = this.index(a);
    if (i >= 0 && a <= last) {
      x.push(a);
      y.push(this.at(a));
    }
    for (i += 1; i < this.t.length && this.t[i] <= last; i++) {
      if (i > 0) {
        const before = this.v[i - 1] + this.slope(i - 1) * (this.t[i] - this.t[i - 1]) / 1e6;
        if (before !== this.v[i]) {
          x.push(this.t[i]);
          y.push(before);
        }
      }
      x.push(this.t[i]);
      y.push(this.v[i]);
    }
    if (x.length && last > x[x.length - 1]) {
      x.push(last);
      y.push(this.at(last));
    }
    return { x: x, y: y };
  }

  /* Smallest and largest value of the whole recording, or of what lies outside the excluded pieces. */
  range(end, excluded) {
    const course = this.points(this.t[0], end, end);
    let low = Infinity, high = -Infinity, next = 0;
    course.x.forEach((t, i) => {
      while (next < excluded.length && excluded[next].to < t) next += 1;
      if (next < excluded.length && t >= excluded[next].from) return;
      low = Math.min(low, course.y[i]);
      high = Math.max(high, course.y[i]);
    });
    return low > high ? this.range(end, []) : [low, high];
  }
}
