
// Keys: / finds, j and k go through what is shown, l puts its link into the address, ? lists them and turns them off.
(() => {
  "use strict";
  const shown = () => [...document.querySelectorAll("[data-item]:not([hidden]), [data-cause]")]
    .filter((item) => item.checkVisibility?.({ contentVisibilityAuto: false }) ?? item.getClientRects().length);
  const dialog = document.getElementById("keys");
  const box = dialog?.querySelector("input");
  if (!box) return;
  let on = true;
  try { on = localStorage.getItem("cuvee-keys") !== "off"; } catch { /* not kept here */ }
  box.checked = on;
  box.addEventListener("change", () => {
    on = box.checked;
    try { localStorage.setItem("cuvee-keys", on ? "on" : "off"); } catch { /* only until the page is closed */ }
  });
  const find = () => {
    const inputs = [...document.querySelectorAll("[data-filters] input[type=search]")].filter((i) => i.getClientRects().length);
    const field = inputs.find((i) => i.closest("section").getBoundingClientRect().bottom > 120) ?? inputs.at(-1);
    field?.focus();
    field?.select();
  };
  const current = () => document.activeElement?.closest("[data-item], [data-cause]");
  const step = (by) => {
    const items = shown(), at = items.indexOf(current());
    const first = items.findIndex((item) => item.getBoundingClientRect().bottom > 60);
    const next = items[at < 0 ? Math.max(first, 0) : Math.min(Math.max(at + by, 0), items.length - 1)];
    if (!next) return;
    next.tabIndex = -1;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const actions = {
    "/": find, "j": () => step(1), "k": () => step(-1),
    "l": () => { const item = current(); if (item?.id) history.replaceState(null, "", `#${encodeURIComponent(item.id)}`); },
    "?": () => { if (!dialog.open) dialog.showModal(); },
  };
  addEventListener("keydown", (event) => {
    const field = event.target.closest?.("input, select, textarea, [contenteditable]");
    if (field && event.key === "Escape" && field.type === "search") field.blur();
    if (!on || field || dialog.open || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  const button = document.querySelector("[data-keys]");
  button.hidden = false;
  button.addEventListener("click", () => dialog.showModal());
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
})();
