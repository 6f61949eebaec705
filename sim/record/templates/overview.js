"use strict";
/* Filtering and sorting of the overview. The page holds the rows; what they are compared by is in the data. */

(function () {
  const data = JSON.parse(document.getElementById("page-data").textContent);
  const table = document.getElementById("run-table");
  if (!table) return;
  const rows = Array.from(table.querySelectorAll("tbody tr"));
  const margins = Array.from(document.querySelectorAll("#margin-table tbody tr"));
  const search = document.getElementById("search");
  const selects = Array.from(document.querySelectorAll("[data-filter]"));
  const texts = rows.map((row) => row.textContent.toLowerCase());

  function fits(run, i) {
    const wanted = search.value.trim().toLowerCase().split(/\s+/);
    return wanted.every((word) => texts[i].includes(word)) && selects.every((select) => {
      if (!select.value) return true;
      return select.dataset.filter === "requirement" ? run.requirements.includes(select.value)
        : run[select.dataset.filter] === select.value;
    });
  }

  function filter() {
    const shown = data.map(fits), count = shown.filter(Boolean).length;
    for (const row of rows.concat(margins)) row.hidden = !shown[Number(row.dataset.run)];
    document.getElementById("count").textContent = count + " of " + data.length + " runs shown";
    document.getElementById("nothing").hidden = count > 0;
  }

  /* What is missing comes last, whichever way the column is sorted; equal runs keep their order. */
  function sort(head) {
    const key = head.dataset.sort, down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => data[Number(row.dataset.run)][key];
    const missing = (v) => v === null || v === "";
    const compare = (u, v) => (missing(u) || missing(v) ? missing(u) - missing(v)
      : (down ? -1 : 1) * (typeof u === "string" ? u.localeCompare(v, "en") : u - v));
    rows.slice().sort((u, v) => compare(value(u), value(v)) || u.dataset.run - v.dataset.run)
      .forEach((row) => table.tBodies[0].append(row));
  }

  search.addEventListener("input", filter);
  for (const select of selects) select.addEventListener("change", filter);
  document.getElementById("reset").addEventListener("click", () => {
    search.value = "";
    for (const select of selects) select.value = "";
    filter();
  });
  for (const head of table.querySelectorAll("[data-sort]")) head.firstElementChild.addEventListener("click", () => sort(head));
  filter();
})();
