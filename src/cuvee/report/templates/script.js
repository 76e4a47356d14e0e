
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
  const titles = { q: "Find", triage: "Group", status: "Status", check: "Check", suite: "Suite", platform: "Platform",
    owner: "Owner", kind: "Kind", group: "Package group", needs: "Needs", neededby: "Needed by", changed: "changed",
    downgraded: "downgraded", differs: "differs by platform", blocks: "blocks the release" };
  const lists = ["triage", "status", "check", "suite", "platform", "owner", "kind", "group"];
  const flags = ["changed", "downgraded", "differs", "blocks"];
  const split = (item, key) => (item.dataset[key] || "").split("|").filter(Boolean);
  // A status is written with its platform, blocked@win-64, and counts as both that and plain blocked.
  const tokens = (item, key) => split(item, key).flatMap((t) => key === "status" && t.includes("@") ? [t, t.split("@")[0]] : [t]);
  const bars = [];

  // The packages that can be reached from one, which is among them; by name, in either direction.
  const closure = (graph, name) => {
    const seen = new Set([name]);
    for (const next of seen) for (const other of graph.get(next) || []) seen.add(other);
    return seen;
  };

  const buildBar = (bar) => {
    const part = document.getElementById(bar.dataset.filters);
    const items = [...part.querySelectorAll("[data-item]")];
    const clusters = [...part.querySelectorAll("[data-cluster]")];
    const folds = [...part.querySelectorAll("details.fold")].map((fold) => ({ fold, open: fold.open }));
    const texts = new Map();
    const text = (item) => {
      if (!texts.has(item)) texts.set(item, (item.dataset.text ?? item.textContent).toLowerCase());
      return texts.get(item);
    };
    const needs = new Map(), neededBy = new Map();
    for (const item of items) for (const below of split(item, "needs")) {
      needs.set(item.dataset.name, (needs.get(item.dataset.name) || []).concat(below));
      neededBy.set(below, (neededBy.get(below) || []).concat(item.dataset.name));
    }
    const reset = make("button", { type: "button" }, "Clear");
    const output = make("output", { "aria-live": "polite" });
    bar.append(reset, output);
    const controls = {};
    const add = (key, control) => {
      const check = control.type === "checkbox";
      const label = make("label", {}, check ? "" : titles[key]);
      control.setAttribute("aria-label", titles[key]);
      label.append(control);
      if (check) label.append(titles[key]);
      control.addEventListener("input", () => { apply(); remember(); });
      controls[key] = control;
      reset.before(label);
    };
    const values = (key) => [...new Set(items.flatMap((item) => tokens(item, key)))].filter((v) => !v.includes("@")).sort();
    // An address may name several values, fail|timeout, of which one is enough.
    const addOption = (select, value) => select.append(make("option", { value }, value.replaceAll("|", " or ") || "any"));
    const addSelect = (key, found) => {
      const select = make("select");
      for (const value of ["", ...found]) addOption(select, value);
      add(key, select);
    };
    const input = (attributes) => make("input", { autocomplete: "off", spellcheck: "false", ...attributes });
    add("q", input({ type: "search" }));
    for (const key of lists) {
      const found = values(key);
      if (found.length > 1) addSelect(key, found);
    }
    if (needs.size) {
      const names = make("datalist", { id: `${part.id}-names` });
      for (const name of [...new Set(items.map((item) => item.dataset.name))].sort()) names.append(make("option", { value: name }));
      bar.append(names);
      for (const key of ["needs", "neededby"]) add(key, input({ type: "text", list: names.id, size: "12" }));
    }
    for (const key of flags) if (values(key).length) add(key, make("input", { type: "checkbox" }));

    const read = () => Object.fromEntries(Object.entries(controls)
      .map(([key, c]) => [key, c.type === "checkbox" ? (c.checked ? "yes" : "") : c.value.trim()])
      .filter(([, value]) => value));
    const fits = (wanted) => {
      const words = (wanted.q || "").toLowerCase().split(/\s+/).filter(Boolean);
      const tests = [(item) => words.every((word) => text(item).includes(word))];
      for (const [key, value] of Object.entries(wanted)) {
        if (key === "q") continue;
        if (key === "needs" || key === "neededby") {
          const found = closure(key === "needs" ? neededBy : needs, value);
          tests.push((item) => found.has(item.dataset.name));
        } else tests.push((item) => {
          const exact = key === "status" && wanted.platform && item.dataset.status?.includes("@");
          const found = tokens(item, key);
          return value.split("|").some((one) => found.includes(exact ? `${one}@${wanted.platform}` : one));
        });
      }
      return (item) => tests.every((test) => test(item));
    };
    const apply = () => {
      const wanted = read(), fit = fits(wanted), active = Object.keys(wanted).length > 0;
      let shown = 0;
      for (const item of items) {
        const hidden = !fit(item);
        if (item.hidden !== hidden) item.hidden = hidden;
        shown += !hidden;
      }
      for (const entry of folds) {
        const hit = entry.fold.querySelector("[data-item]:not([hidden])");
        entry.fold.open = active ? hit !== null : entry.open;
        entry.fold.hidden = active && !hit && entry.fold.querySelector("[data-item]") !== null;
      }
      for (const cluster of clusters) cluster.hidden = !cluster.querySelector("[data-item]:not([hidden])");
      reset.hidden = !active;
      for (const tab of part.querySelectorAll("a.tab")) {
        const current = (wanted.triage || "") === (new URLSearchParams(tab.dataset.view.split("?")[1]).get("triage") || "");
        if (current) tab.setAttribute("aria-current", "true"); else tab.removeAttribute("aria-current");
      }
      const unlisted = bar.dataset.unlisted ? `; ${bar.dataset.unlisted}` : "";
      carry();
      output.textContent = (active ? `${shown} of ${items.length} shown` : `${items.length} in all`) + unlisted;
    };
    // Pages with the rows that are not here are opened with the same filters. Each is of one platform.
    const carry = () => {
      const { platform, ...wanted } = read();
      const query = new URLSearchParams(wanted).toString();
      for (const link of part.querySelectorAll("a[data-search]")) link.hash = query ? `${part.id}?${query}` : "";
    };
    const remember = () => {
      const query = new URLSearchParams(read()).toString();
      history.replaceState(null, "", `#${part.id}${query ? `?${query}` : ""}`);
    };
    // An address may name a value or a filter that this page has no control for: nothing fits it, and that is shown.
    const set = (query) => {
      for (const [key, value] of query) if (value && !controls[key] && titles[key]) addSelect(key, [value]);
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
    for (const { part, set } of bars) {
      // A row that a filter hides is shown: the address asks for it.
      if (part.id === id) set(new URLSearchParams(query || ""));
      else if (part.contains(target) && target.closest("[hidden]")) set(new URLSearchParams());
    }
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    target.scrollIntoView();
  };

  for (const bar of document.querySelectorAll("[data-filters]")) buildBar(bar);
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
