"use strict";
/* Colours, signs and wordings of the timeline. */

const FILL = {                                            // Okabe-Ito and greys
  off: "#5b6672", self_test: "#98a3af", standby: "#b9c3cd", preparatory: "#56b4e9", check: "#cc79a7",
  ready: "#009e73", irradiation: "#f0e442", hold: "#e69f00", interrupted: "#d55e00", terminated: "#9c3f00",
  emergency: "#1d1d1d",
};
const HATCH = { hold: "/", terminated: "x", emergency: "x", self_test: "/" };
const ROLE = { permit: "#009e73", beam: "#f0e442", door: "#e69f00", interlock: "#d55e00", other: "#56b4e9" };
const MARK = { fault: ["\u25bc", "#d55e00"], trip: ["\u25c6", "#cc79a7"], violation: ["\u2716", "#d55e00"] };

function colours(isDark) {
  return isDark
    ? { ink: "#e6ebf0", muted: "#9fabb8", line: "#2c3743", band: "#202932", edge: "#0d1217", dose: "#56b4e9",
        dose2: "#e69f00", rate: "#56b4e9", gantry: "#cc79a7", pass: "#56b4e9", fail: "#f08a4b" }
    : { ink: "#17212b", muted: "#56636f", line: "#dfe4e9", band: "#f2f4f7", edge: "#ffffff", dose: "#0072b2",
        dose2: "#e69f00", rate: "#0072b2", gantry: "#a3537f", pass: "#0072b2", fail: "#d55e00" };
}

const escapeText = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const short = (text, most) => (text.length > most ? text.slice(0, most - 1) + "\u2026" : text);

function inkOn(fill) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(fill.slice(i, i + 2), 16) / 255);
  return 0.2126 * r * r + 0.7152 * g * g + 0.0722 * b * b > 0.2 ? "#111111" : "#ffffff";
}

function clock(t) {
  const ms = Math.round(t / 1000), rest = ((ms % 60000) + 60000) % 60000;
  return String(Math.floor(ms / 60000)).padStart(2, "0") + ":" + String(Math.floor(rest / 1000)).padStart(2, "0")
    + "." + String(rest % 1000).padStart(3, "0");
}

function span(us) {
  const size = Math.abs(us);
  if (size < 1000) return us.toFixed(0) + " \u00b5s";
  if (size < 1e6) return (us / 1e3).toFixed(size < 1e5 ? 2 : 1) + " ms";
  return (us / 1e6).toFixed(3) + " s";
}
