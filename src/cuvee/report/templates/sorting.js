
// Makes the headings of tables buttons that sort: up, down, and as it was. The parts of a long table sort as one.
(() => {
  "use strict";
  const factors = { byte: 1, bytes: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, s: 1, min: 60, h: 3600 };
  const amount = /(\d[\d,.]*)\s*(bytes?|[kMGT]B|min|[sh])\b/g;
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  // Sizes and times count as what they amount to, everything else as text in which numbers are numbers.
  const keyOf = (row, column) => {
    const words = (row.cells[column]?.textContent ?? "").trim();
    const found = [...words.matchAll(amount)];
    if (!found.length || words.replace(amount, "").trim()) return words;
    return found.reduce((sum, [, number, unit]) => sum + parseFloat(number.replaceAll(",", "")) * factors[unit], 0);
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (a === "" || b === "") return (a === "") - (b === "");
    return collator.compare(a, b);
  };
  const groups = new Map();
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    const place = table.closest(".part")?.parentElement ?? table;
    groups.set(place, [...(groups.get(place) ?? []), table]);
  }
  for (const tables of groups.values()) {
    const bodies = tables.map((table) => table.tBodies[0]);
    const before = bodies.map((body) => [...body.rows]);
    if (before.flat().length < 2) continue;
    tables[0].classList.add("sortable");
    const headings = [...tables[0].tHead.rows[0].cells];
    const sort = (column, way) => {
      const rows = before.flat();
      if (way) {
        const keys = new Map(rows.map((row) => [row, keyOf(row, column)]));
        rows.sort((a, b) => (way === "ascending" ? 1 : -1) * compare(keys.get(a), keys.get(b)));
      }
      let start = 0;
      bodies.forEach((body, place) => {
        body.append(...rows.slice(start, start += before[place].length));
        const part = body.closest("[data-cluster]");
        if (part?.classList.contains("part")) part.hidden = !body.querySelector("tr:not([hidden])");
      });
      headings.forEach((heading, place) => {
        if (way && place === column) heading.setAttribute("aria-sort", way); else heading.removeAttribute("aria-sort");
      });
    };
    headings.forEach((heading, column) => {
      if (!heading.textContent.trim()) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const now = heading.getAttribute("aria-sort");
        sort(column, now === null ? "ascending" : now === "ascending" ? "descending" : "");
      });
    });
  }
})();
