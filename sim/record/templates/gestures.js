"use strict";
/* How a reader moves the timeline: pointer, fingers, wheel, keys and buttons. */

function listen(timeline) {
  const { box, plot } = timeline;

  function timeUnder(clientX) {
    const at = clientX - box.getBoundingClientRect().left - timeline.places.margin.l;
    const [from, to] = timeline.view;
    return at < 0 || at > timeline.places.inner ? null : from + at / timeline.places.inner * (to - from);
  }

  /* Pointing reads values, a click sets the reference, two fingers zoom; plotly itself zooms on a drag. */
  const fingers = new Map();
  let pressed = null, pinch = null, pinchedAt = -Infinity;
  const apart = () => {
    const [u, v] = Array.from(fingers.values());
    return { distance: Math.max(20, Math.abs(u - v)), middle: timeUnder((u + v) / 2) };
  };
  /* plotly must not see the second finger: it takes two fingers put down at once for a double click,
     which shows everything again when they are lifted. The last finger lifted ends what the first began. */
  for (const [kind, hidden] of [["touchstart", (event) => event.touches.length > 1], ["touchmove", () => pinch],
    ["touchend", (event) => event.touches.length > 0]]) {
    box.addEventListener(kind, (event) => { if (hidden(event)) event.stopPropagation(); },
      { capture: true, passive: true });
  }
  box.addEventListener("pointermove", (event) => {
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, event.clientX);
    if (pinch && fingers.size === 2) {
      const now = apart();
      timeline.zoom(pinch.distance / now.distance, now.middle === null ? undefined : now.middle);
      pinch = now;
      pinchedAt = event.timeStamp;
      return;
    }
    const t = timeUnder(event.clientX);
    if (t !== null) timeline.moveCursor(t, false);
  });
  box.addEventListener("pointerdown", (event) => {
    pressed = [event.clientX, event.clientY];
    box.focus({ preventScroll: true });
    if (event.pointerType !== "touch") return;
    fingers.set(event.pointerId, event.clientX);
    pinch = fingers.size === 2 ? apart() : null;
    if (pinch) pressed = null;
  });
  window.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    pressed = pinch = null;
  });
  window.addEventListener("pointerup", (event) => {
    fingers.delete(event.pointerId);
    pinch = null;
    if (pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) < 4) {
      const t = timeUnder(event.clientX);
      if (t !== null) {
        timeline.moveCursor(t, true);
        timeline.setReference();
      }
    }
    pressed = null;
  });

  /* The wheel scrolls the page until the reader has taken hold of the timeline, or holds Ctrl. */
  box.addEventListener("wheel", (event) => {
    const held = document.activeElement === box;
    const lines = event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 300 : 1;
    const across = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
    if (Math.abs(across) > Math.abs(event.deltaY) || event.shiftKey) {
      if (!held) return;
      event.preventDefault();
      timeline.pan(across * lines / timeline.places.inner);
    } else if (held || event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const t = timeUnder(event.clientX);
      timeline.zoom(Math.pow(2, clamp(event.deltaY * lines, -200, 200) / 200), t === null ? undefined : t);
    }
  }, { passive: false });

  box.addEventListener("keydown", (event) => {
    const [from, to] = timeline.view, t = timeline.cursor;
    const step = (to - from) / 200, now = t !== null && t >= from && t <= to ? t : (from + to) / 2;
    const keys = {
      ArrowLeft: () => (event.shiftKey ? timeline.pan(-0.25) : timeline.moveCursor(now - step, true)),
      ArrowRight: () => (event.shiftKey ? timeline.pan(0.25) : timeline.moveCursor(now + step, true)),
      "+": () => timeline.zoom(0.5), "=": () => timeline.zoom(0.5), "-": () => timeline.zoom(2),
      Home: () => timeline.showAll(), "0": () => timeline.showAll(), r: () => timeline.setReference(),
      Escape: () => box.blur(),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  box.addEventListener("focus", () => {
    if (timeline.cursor === null) timeline.moveCursor((timeline.view[0] + timeline.view[1]) / 2, true);
  });

  plot.on("plotly_relayout", (change) => {
    const range = change["xaxis.range"] || [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if (range[0] !== undefined && range[1] !== undefined) timeline.show(range[0] * 1e6, range[1] * 1e6);
  });
  /* Lifting the fingers and pinching on at once is no double click either (plotly allows 0.3 s). */
  plot.on("plotly_doubleclick", () => { if (performance.now() - pinchedAt > 1000) timeline.showAll(); });

  const actions = { in: () => timeline.zoom(0.5), out: () => timeline.zoom(2), left: () => timeline.pan(-0.25),
    right: () => timeline.pan(0.25) };
  for (const button of document.querySelectorAll("[data-move]")) {
    button.addEventListener("click", actions[button.dataset.move]);
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom]");
    if (!button) return;
    const [from, to] = button.dataset.zoom.split(",").map(Number);
    if (button.dataset.kind === "whole") timeline.showAll(); else timeline.show(from, to);
    if (button.dataset.at) timeline.moveCursor(Number(button.dataset.at), false);
    if (button.closest("#timeline")) return;
    document.getElementById("timeline").scrollIntoView({ block: "start" });
    box.focus({ preventScroll: true });
  });
  document.getElementById("overview").addEventListener("click", (event) => {
    const area = event.currentTarget.getBoundingClientRect(), width = timeline.view[1] - timeline.view[0];
    const t = (event.clientX - area.left) / area.width * timeline.data.end;
    timeline.show(t - width / 2, t + width / 2);
  });
  for (const tick of document.querySelectorAll("[data-lane]")) {
    tick.addEventListener("change", () => timeline.showLane(Number(tick.dataset.lane), tick.checked));
  }

  new ResizeObserver(() => {
    if (!timeline.paper && timeline.places.width !== box.clientWidth) timeline.draw();
  }).observe(box);
  timeline.dark.addEventListener("change", () => timeline.draw());
  window.addEventListener("beforeprint", () => timeline.print());
  window.addEventListener("afterprint", () => timeline.printed());
}
