"use strict";
/* Colours, signs and wordings of the timeline. */

const FILL = {                                            // Okabe-Ito and greys
  off: "#5b6672", self_test: "#98a3af", standby: "#b9c3cd", preparatory: "#56b4e9", check: "#cc79a7",
  ready: "#009e73", irradiation: "#f0e442", hold: "#e69f00", interrupted: "#d55e00", terminated: "#9c3f00",
  emergency: "#1d1d1d",
};
const HATCH = { hold: "/", terminated: "x", emergency: "x", self_test: "/" };
const ROLE = { permit: "#009e73", beam: "#f0e442", door: "#e69f00", interlock: "#d55e00", other: "#56b4e9" };
const SIGN = { fault: "\u25bc", trip: "\u25c6", violation: "\u2716" };

function colours(isDark) {
  return isDark
    ? { ink: "#e6ebf0", muted: "#9fabb8", line: "#2c3743", band: "#202932", dose: "#56b4e9", dose2: "#f0a030",
        rate: "#56b4e9", gantry: "#e39ac4", pass: "#56b4e9", fail: "#f08a4b",
        fault: "#f08a4b", trip: "#e39ac4", violation: "#ffffff", card: "#182028", target: "#ffd9ee",
        own: "#2f6f9c", cross: "#a3661f" }
    : { ink: "#17212b", muted: "#56636f", line: "#dfe4e9", band: "#f2f4f7", dose: "#0072b2", dose2: "#b35900",
        rate: "#0072b2", gantry: "#9a4a75", pass: "#0072b2", fail: "#ad4a00",
        fault: "#ad4a00", trip: "#9a4a75", violation: "#17212b", card: "#ffffff", target: "#7a1f55",
        own: "#86bfe6", cross: "#f0b56b" };
}

const fillOf = (state) => FILL[state] || "#8a97a5";
const escapeText = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const short = (text, most) => (text.length > most ? text.slice(0, most - 1) + "\u2026" : text);
const words = (name) => String(name).replace(/_/g, " ");
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function inkOn(fill) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(fill.slice(i, i + 2), 16) / 255);
  return 0.2126 * r * r + 0.7152 * g * g + 0.0722 * b * b > 0.2 ? "#111111" : "#ffffff";
}

/* Simulated time as min:s, with so many decimals (0 to 6); the minutes go on counting beyond an hour. */
function clock(t, decimals) {
  const unit = Math.pow(10, 6 - decimals), parts = Math.round(Math.abs(t) / unit);
  const perSecond = Math.pow(10, decimals), rest = parts % (60 * perSecond);
  const text = String(Math.floor(parts / 60 / perSecond)).padStart(2, "0") + ":"
    + String(Math.floor(rest / perSecond)).padStart(2, "0");
  return (t < 0 && parts ? "\u2212" : "") + text + (decimals ? "." + String(rest % perSecond).padStart(decimals, "0") : "");
}

function span(us) {
  const size = Math.abs(us);
  if (size < 1000) return us.toFixed(0) + " \u00b5s";
  if (size < 1e6) return (us / 1e3).toFixed(size < 1e5 ? 2 : 1) + " ms";
  return (us / 1e6).toFixed(size < 1e9 ? 3 : 1) + " s";
}

/* Where to put at most `most` labels on an axis from a to b, in us, and how many decimals they need. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].map((s) => s * 1e6);
function timeTicks(a, b, most) {
  let step = STEPS.find((s) => (b - a) / s <= most) || Math.ceil((b - a) / most / 3600e6) * 3600e6;
  let decimals = 0;
  if (step === STEPS[0]) {
    for (let size = 1e5, places = 1; size >= 10; size /= 10, places += 1) {
      const finer = [5, 2, 1].map((m) => m * size).filter((s) => (b - a) / s <= most);
      if (finer.length) [step, decimals] = [finer[finer.length - 1], places];
    }
  }
  const at = [];
  for (let t = Math.ceil(Math.max(a, 0) / step) * step; t <= b; t += step) at.push(t);
  return { at: at, text: at.map((t) => clock(t, decimals)) };
}
