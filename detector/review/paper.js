// The page as a reader sees it, what of it is shown, and what of it is selected.

const CHUNK = 40; // Segments a chunk; the browser skips chunks that are off screen (content-visibility).
const UNFOLDED = 3; // A stretch of hidden segments this short is shown dimmed instead of folded.

const FILTERS = [
  { name: "All", of: () => true },
  { name: "Unsure", of: (page, segment) => bodyOf(page).unsure[segment] === 1 && !page.corrections.has(segment) },
  { name: "Link lists", of: (page, segment) => labelOf(page, segment) === LINK_LIST },
  { name: "Removed", of: (page, segment) => labelOf(page, segment) !== CONTENT },
  { name: "Corrected", of: (page, segment) => page.corrections.has(segment) },
];

const sheet = document.getElementById("sheet");
const desk = document.getElementById("desk");
let page = pages[0];
let filter = FILTERS[0];
let rows = []; // By segment; a hole where the segment is folded away.
let matches = []; // Segments that the filter lets through, in order.
let cursor = -1;
let anchor = -1;

function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function drawPage() {
  const { lines } = bodyOf(page);
  rows = new Array(lines.length);
  matches = [...lines.keys()].filter((segment) => filter.of(page, segment));
  const matched = new Set(matches);
  const list = element("div", "segments");
  list.setAttribute("role", "list");
  let chunk = null;
  const add = (node) => {
    if (!chunk || chunk.childElementCount >= CHUNK) list.append((chunk = element("div", "chunk")));
    chunk.append(node);
  };
  for (const [start, end, isMatch] of stretches(lines.length, matched)) {
    const folded = isMatch ? [] : foldedOf(start, end, lines.length);
    for (let segment = start; segment < end; segment += 1) {
      if (segment === folded[0]) add(fold(...folded));
      if (!(segment >= folded[0] && segment < folded[1])) add(row(segment, isMatch));
    }
  }
  sheet.replaceChildren(heading(), list, footing());
}

// Runs of segments that all pass the filter, or all do not: [start, end, passes].
function stretches(total, matched) {
  const found = [];
  for (let start = 0, end = 0; start < total; start = end) {
    const isMatch = matched.has(start);
    while (end < total && matched.has(end) === isMatch) end += 1;
    found.push([start, end, isMatch]);
  }
  return found;
}

// What to fold of a stretch that does not pass: all but the neighbours of what does.
function foldedOf(start, end, total) {
  const from = start > 0 ? start + 1 : start;
  const to = end < total ? end - 1 : end;
  return to - from > UNFOLDED ? [from, to] : [];
}

function row(segment, isMatch) {
  const { lines, blocks } = bodyOf(page);
  const [tag, depth, marker, linked] = blocks[segment];
  const made = element("div", "segment");
  made.setAttribute("role", "listitem");
  made.tabIndex = -1;
  made.dataset.segment = segment;
  made.dataset.tag = tag;
  if (marker) made.dataset.marker = marker;
  made.style.setProperty("--depth", depth);
  made.classList.toggle("linked", linked === 1);
  made.classList.toggle("aside", !isMatch);
  const text = element("span", "text", lines[segment]);
  text.dir = "auto";
  made.append(text, element("span", "note"));
  rows[segment] = made;
  paint(segment);
  return made;
}

// Everything about a row that a correction can change.
function paint(segment) {
  const made = rows[segment];
  if (!made) return;
  const { percents, unsure, labels } = bodyOf(page);
  const label = labelOf(page, segment);
  const corrected = page.corrections.has(segment);
  const doubtful = unsure[segment] === 1 && !corrected;
  made.dataset.label = LABELS[label];
  made.classList.toggle("corrected", corrected);
  made.classList.toggle("unsure", doubtful);
  made.lastChild.textContent = corrected ? "✓" : doubtful ? `${percents[segment][label]} %` : "";
  const was = corrected ? `, corrected from ${NAMES[labels[segment]]}` : `, ${percents[segment][label]} percent`;
  made.setAttribute("aria-description", NAMES[label] + was);
}

function fold(start, end) {
  const made = element("button", "fold", `${end - start} segments not shown`);
  made.type = "button";
  made.addEventListener("click", () => {
    made.replaceWith(...Array.from({ length: end - start }, (_, step) => row(start + step, false)));
    select(start, false);
  });
  return made;
}

function heading() {
  const made = element("header", "heading");
  made.append(element("p", "name", page.name));
  if (page.url !== null) made.append(element("p", "url", page.url));
  const counts = countsOf(page);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const legend = element("ul", "legend");
  counts.forEach((count, label) => {
    const item = element("li", "", `${NAMES[label]} ${count}`);
    item.dataset.label = LABELS[label];
    legend.append(item);
  });
  made.append(legend);
  if (page.problem) made.append(element("p", "problem", `Nothing to label: ${page.problem}.`));
  else if (!matches.length) made.append(element("p", "problem", `None of the ${total} segments: ${filter.name}.`));
  return made;
}

function footing() {
  const made = element("footer", "footing");
  const button = element("button", page.checked ? "" : "primary", page.checked ? "Checked ✓" : "This page is right ↵");
  button.type = "button";
  button.id = "check";
  button.setAttribute("aria-pressed", String(page.checked));
  button.addEventListener("click", () => (page.checked ? uncheck() : checkAndGoOn()));
  made.append(button);
  return made;
}

function select(segment, extend) {
  for (const old of selection()) rows[old]?.classList.remove("selected");
  rows[cursor]?.classList.remove("cursor");
  rows[cursor]?.removeAttribute("aria-current");
  cursor = segment;
  if (!extend || anchor < 0) anchor = segment;
  const now = rows[cursor];
  if (!now) return;
  for (const chosen of selection()) rows[chosen]?.classList.add("selected");
  now.classList.add("cursor");
  now.setAttribute("aria-current", "true");
  now.focus({ preventScroll: true });
  now.scrollIntoView({ block: "nearest" });
  showCard(cursor);
}

// The cursor, and between it and the anchor whatever the filter lets through: what is hidden is never changed.
function selection() {
  if (cursor < 0) return [];
  const [low, high] = [Math.min(cursor, anchor), Math.max(cursor, anchor)];
  const chosen = matches.filter((segment) => segment >= low && segment <= high);
  return chosen.includes(cursor) ? chosen : [...chosen, cursor];
}
