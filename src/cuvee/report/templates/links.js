
// Links to a part of a page lead to its rows that they are about: the filter is added to what they lead to anyway.
for (const link of document.querySelectorAll("a[data-query]")) link.hash += `?${link.dataset.query}`;
for (const link of document.querySelectorAll("a[data-view]")) link.hash = link.dataset.view;
