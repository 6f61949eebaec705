"use strict";
/* The page around the timeline: starting it, filtering the events, copying the command. */

(function () {
  const data = JSON.parse(document.getElementById("page-data").textContent);
  if (window.Plotly) {
    listen(new Timeline(data, window.Plotly));
    if (data.dose) new DosePictures(data.dose, data.marks, window.Plotly);
  } else {
    document.getElementById("timeline-plot").textContent = "The timeline could not be drawn in this browser.";
  }

  const search = document.getElementById("event-search");
  const details = document.getElementById("event-details");
  const topics = Array.from(document.querySelectorAll("#event-topics button"));
  const rows = Array.from(document.querySelectorAll("#events li"));
  const texts = rows.map((row) => row.textContent.toLowerCase());

  function filter() {
    const wanted = search.value.trim().toLowerCase();
    const shown = new Set(topics.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.topic));
    let count = 0;
    rows.forEach((row, i) => {
      const heading = row.classList.contains("heading") && !wanted;
      const fits = heading || (shown.has(row.dataset.topic) && (details.checked || !("detail" in row.dataset))
        && texts[i].includes(wanted));
      row.hidden = !fits;
      if (fits && !heading) count += 1;
    });
    document.getElementById("event-count").textContent = count + " of " + rows.filter((r) => !r.classList.contains("heading")).length + " shown";
  }

  if (search) {
    search.addEventListener("input", filter);
    details.addEventListener("change", filter);
    for (const button of topics) {
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
        filter();
      });
    }
    filter();
  }

  const copy = document.getElementById("copy-command");
  if (copy) {
    copy.addEventListener("click", async () => {
      const command = document.getElementById("command");
      try {
        await navigator.clipboard.writeText(command.textContent);
        copy.textContent = "Copied";
      } catch {
        window.getSelection().selectAllChildren(command);
        copy.textContent = "Selected: copy it now";
      }
    });
  }
})();
