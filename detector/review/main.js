// Keys, mouse and touch to actions; then the first page.

const KEYS = {
  j: () => step(1, false),
  k: () => step(-1, false),
  ArrowDown: () => step(1, false),
  ArrowUp: () => step(-1, false),
  J: () => step(1, true),
  K: () => step(-1, true),
  "Shift+ArrowDown": () => step(1, true),
  "Shift+ArrowUp": () => step(-1, true),
  n: nextUnsure,
  h: () => turnPage(-1),
  l: () => turnPage(1),
  u: () => travel(undoChange(), "undo"),
  U: () => travel(redoChange(), "redo"),
  f: () => show(FILTERS[(FILTERS.indexOf(filter) + 1) % FILTERS.length]),
  s: save,
  t: switchTheme,
  "?": () => document.getElementById("keys").showModal(),
  Enter: checkAndGoOn,
  "Control+z": () => travel(undoChange(), "undo"),
  "Control+Z": () => travel(redoChange(), "redo"),
  "Control+y": () => travel(redoChange(), "redo"),
  "Control+s": save,
};

function actionOf(event) {
  if (event.altKey || document.getElementById("keys").open) return undefined;
  if (event.ctrlKey || event.metaKey) return KEYS[`Control+${event.key}`];
  // By place too: on some layouts the digits need Shift.
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1] ?? event.key;
  if (LABELS[digit - 1]) return () => labelSelection(digit - 1);
  return KEYS[event.key.startsWith("Arrow") && event.shiftKey ? `Shift+${event.key}` : event.key];
}

document.addEventListener("keydown", (event) => {
  const onControl = event.target.closest?.("button");
  if (onControl && ["Enter", "ArrowDown", "ArrowUp"].includes(event.key)) return;
  const action = actionOf(event);
  if (!action) return;
  event.preventDefault();
  action();
});

// Text stays selectable: a click that ends a selection of text is not a click on a segment.
sheet.addEventListener("click", (event) => {
  const hit = event.target.closest(".segment");
  if (!hit || (!event.shiftKey && !window.getSelection().isCollapsed)) return;
  window.getSelection().removeAllRanges();
  select(Number(hit.dataset.segment), event.shiftKey);
});
sheet.addEventListener("mousedown", (event) => {
  if (event.shiftKey) event.preventDefault();
});

if (window.matchMedia("(hover: hover)").matches) {
  sheet.addEventListener("mouseover", (event) => {
    const hit = event.target.closest(".segment");
    if (hit) showCard(Number(hit.dataset.segment));
  });
  sheet.addEventListener("mouseleave", (event) => {
    if (!card.contains(event.relatedTarget) && cursor >= 0) showCard(cursor);
  });
}
sheet.addEventListener("focusin", (event) => {
  const hit = event.target.closest(".segment");
  if (hit) showCard(Number(hit.dataset.segment));
});

for (const [id, action] of Object.entries({
  undo: KEYS.u,
  redo: KEYS.U,
  save,
  theme: switchTheme,
  help: KEYS["?"],
  menu: (event) => {
    const isOpen = document.body.classList.toggle("menu-open");
    event.currentTarget.setAttribute("aria-expanded", String(isOpen));
  },
})) {
  document.getElementById(id).addEventListener("click", action);
}

for (const one of FILTERS) {
  const button = element("button");
  button.type = "button";
  button.setAttribute("role", "radio");
  button.append(element("span", "", one.name), element("span", "count"));
  button.addEventListener("click", () => show(one));
  document.getElementById("filters").append(button);
}
document.getElementById("filters").addEventListener("keydown", (event) => {
  const direction = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!direction) return;
  show(FILTERS[(FILTERS.indexOf(filter) + direction + FILTERS.length) % FILTERS.length]);
  document.getElementById("filters").children[FILTERS.indexOf(filter)].focus();
});

for (const one of pages) {
  const item = element("button", "listed");
  const share = element("span", "share");
  item.type = "button";
  item.append(element("span", "title", one.title), element("span", "file", one.name), share, element("span", "tally"));
  for (const label of LABELS) share.appendChild(element("i")).dataset.label = label;
  item.firstChild.dir = "auto";
  item.addEventListener("click", () => open(one));
  pageList.append(item);
  restore(one);
}

let frame = 0;
function onceAFrame(work) {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(work);
}
desk.addEventListener("scroll", () => onceAFrame(() => { followDesk(); placeCard(); }), { passive: true });
// What the browser has skipped until now cannot be hit; once it is drawn, the minimap can tell what is in view.
sheet.addEventListener("contentvisibilityautostatechange", () => onceAFrame(() => { followDesk(); placeCard(); }));
window.addEventListener("resize", () => onceAFrame(() => { if (page) { drawMinimap(); placeCard(); } }));
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => page && drawMinimap());
window.addEventListener("beforeunload", (event) => {
  if (unsaved && storeProblem) event.preventDefault();
});

const theme = stored((storage) => storage.getItem(`${STORE_PREFIX}theme`));
if (["dark", "light"].includes(theme)) root.dataset.theme = theme;
pages.forEach(drawListed);
// A report links to `review.html#page-3`.
const linkedPage = () => pages[/^#page-(\d+)$/.exec(location.hash)?.[1]];
window.addEventListener("hashchange", () => linkedPage() && open(linkedPage()));
if (page) open(linkedPage() ?? pages.find((one) => !one.checked) ?? page);
else sheet.append(element("p", "problem", "No pages."));
if (storeProblem) say("This browser keeps no work for files: save before you close the tab");
