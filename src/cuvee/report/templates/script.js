
// Adds filters, copying and ages to a page that is whole without them. Filters live in the address, behind
// the part's anchor (#packages?status=blocked&platform=win-64), so that a view can be sent to somebody.
(() => {
  "use strict";
  const make = (tag, attributes = {}, text = "") => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.textContent = text;
    return node;
  };
  // A status is written with its platform, blocked@win-64, and counts as both that and plain blocked.
  const tokens = (item, key) => (item.dataset[key] || "").split("|").filter(Boolean)
    .flatMap((token) => key === "status" ? [token, token.split("@")[0]] : [token]);
  const bars = [];

  const buildBar = (bar) => {
    const part = document.getElementById(bar.dataset.filters);
    const items = [...part.querySelectorAll("[data-item]")];
    const clusters = [...part.querySelectorAll("[data-cluster]")];
    const folds = [...part.querySelectorAll("details.fold")].map((fold) => ({ fold, open: fold.open }));
    const reset = make("button", { type: "button" }, "Clear");
    const output = make("output", { "aria-live": "polite" });
    bar.append(reset, output);
    const controls = {};
    const add = (key, title, control) => {
      const label = make("label", {}, control.type === "checkbox" ? "" : title);
      control.setAttribute("aria-label", title);
      label.append(control);
      if (control.type === "checkbox") label.append(title);
      control.addEventListener("input", () => { apply(); remember(); });
      controls[key] = control;
      reset.before(label);
    };
    const names = { triage: "Group", status: "Status", check: "Check", platform: "Platform", owner: "Owner",
      changed: "changed", differs: "differs by platform", blocks: "blocks the release" };
    const values = (key) => [...new Set(items.flatMap((item) => tokens(item, key)))].filter((v) => !v.includes("@")).sort();
    const addOption = (select, value) => select.append(make("option", { value }, value || "any"));
    const addSelect = (key, found) => {
      const select = make("select");
      for (const value of ["", ...found]) addOption(select, value);
      add(key, names[key], select);
    };
    const addCheckbox = (key) => add(key, names[key], make("input", { type: "checkbox" }));
    add("q", "Find", make("input", { type: "search", autocomplete: "off", spellcheck: "false" }));
    for (const key of ["triage", "status", "check", "platform", "owner"]) {
      const found = values(key);
      if (found.length > 1) addSelect(key, found);
    }
    for (const key of ["changed", "differs", "blocks"]) if (values(key).length) addCheckbox(key);

    const read = () => Object.fromEntries(Object.entries(controls)
      .map(([key, c]) => [key, c.type === "checkbox" ? (c.checked ? "yes" : "") : c.value.trim()])
      .filter(([, value]) => value));
    const apply = () => {
      const wanted = read();
      const words = (wanted.q || "").toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const item of items) {
        const text = (item.dataset.text ?? item.textContent).toLowerCase();
        const fits = words.every((word) => text.includes(word)) && Object.entries(wanted).every(([key, value]) => {
          if (key === "q") return true;
          if (key === "status" && wanted.platform && item.dataset.status?.includes("@")) return tokens(item, key).includes(`${value}@${wanted.platform}`);
          return tokens(item, key).includes(value);
        });
        item.hidden = !fits;
        shown += fits;
      }
      const active = Object.keys(wanted).length > 0;
      for (const entry of folds) {
        const hits = entry.fold.querySelectorAll("[data-item]:not([hidden])").length;
        entry.fold.open = active ? hits > 0 : entry.open;
      }
      for (const cluster of clusters) cluster.hidden = !cluster.querySelector("[data-item]:not([hidden])");
      reset.hidden = !active;
      for (const tab of part.querySelectorAll("a.tab")) {
        const current = (wanted.triage || "") === (new URLSearchParams(tab.dataset.view.split("?")[1]).get("triage") || "");
        if (current) tab.setAttribute("aria-current", "true"); else tab.removeAttribute("aria-current");
      }
      const unlisted = bar.dataset.unlisted ? `; ${bar.dataset.unlisted} more are only in outcomes.csv` : "";
      output.textContent = (active ? `${shown} of ${items.length} shown` : `${items.length} in all`) + unlisted;
    };
    const remember = () => {
      const query = new URLSearchParams(read()).toString();
      history.replaceState(null, "", `#${part.id}${query ? `?${query}` : ""}`);
    };
    // An address may name a value or a filter that this page has no control for: nothing fits it, and that is shown.
    const set = (query) => {
      for (const [key, value] of query) if (value && !controls[key] && names[key]) addSelect(key, [value]);
      for (const [key, control] of Object.entries(controls)) {
        const value = query.get(key) || "";
        if (control.type === "checkbox") control.checked = value === "yes";
        else {
          control.value = value;
          if (control.value !== value) { addOption(control, value); control.value = value; }
        }
      }
      apply();
    };
    reset.addEventListener("click", () => { set(new URLSearchParams()); remember(); });
    set(new URLSearchParams());
    bar.hidden = false;
    bars.push({ part, set });
  };

  const follow = () => {
    const [place, query] = location.hash.slice(1).split("?", 2);
    let id = place;
    try { id = decodeURIComponent(place); } catch { /* not an address of ours */ }
    const target = id && document.getElementById(id);
    if (!target) return;
    for (const { part, set } of bars) if (part.id === id) set(new URLSearchParams(query || ""));
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    target.scrollIntoView();
  };

  for (const bar of document.querySelectorAll("[data-filters]")) buildBar(bar);
  for (const link of document.querySelectorAll("a[data-query]")) link.hash += `?${link.dataset.query}`;
  for (const link of document.querySelectorAll("a[data-view]")) link.hash = link.dataset.view;
  addEventListener("hashchange", follow);
  follow();

  for (const code of document.querySelectorAll("[data-copy]")) {
    const button = make("button", { type: "button", class: "copy", "aria-label": `Copy the ${code.dataset.copy}` }, "Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    code.after(button);
  }

  for (const time of document.querySelectorAll("time[data-age]")) {
    const days = Math.floor((Date.now() - new Date(time.dateTime)) / 86400000);
    if (days >= 0) time.after(days === 0 ? ", today" : days === 1 ? ", yesterday" : `, ${days} days ago`);
  }
})();
