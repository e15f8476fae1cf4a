// What is known and what a person changed: pages, corrections, history, and what the browser keeps of them.

const index = JSON.parse(document.getElementById("index").textContent);
const LABELS = index.labels;
const NAMES = LABELS.map((label) => label.replace("_", " "));
const CONTENT = LABELS.indexOf("content");
const LINK_LIST = LABELS.indexOf("link_list");
const STORE_PREFIX = "link-farm-detector review ";

const pages = index.pages.map((facts, number) => ({ ...facts, number, corrections: new Map(), checked: false }));
const history = [];
let historyEnd = 0; // Changes from here on were undone.
let unsaved = false;
let storeProblem = null;

// Each page is its own JSON block, read when it is first looked at: fifty long pages open as fast as one.
function bodyOf(page) {
  page.body ??= JSON.parse(document.getElementById(`page-${page.number}`).textContent);
  return page.body;
}

function labelOf(page, segment) {
  return page.corrections.get(segment) ?? bodyOf(page).labels[segment];
}

function countsOf(page) {
  const counts = [...page.counts];
  for (const [segment, label] of page.corrections) {
    counts[bodyOf(page).labels[segment]] -= 1;
    counts[label] += 1;
  }
  return counts;
}

function isTouched(page) {
  return page.checked || page.corrections.size > 0;
}

function setLabel(page, segment, label) {
  if (label === bodyOf(page).labels[segment]) page.corrections.delete(segment);
  else page.corrections.set(segment, label);
}

// A change is {page, labels: [[segment, before, after]], checked: [before, after]}.
function relabel(page, segments, label) {
  const labels = segments.map((segment) => [segment, labelOf(page, segment), label]);
  const changed = labels.filter(([, before, after]) => before !== after);
  if (changed.length) perform({ page, labels: changed, checked: [page.checked, page.checked] });
  return changed.length;
}

function setChecked(page, checked) {
  if (page.checked !== checked) perform({ page, labels: [], checked: [page.checked, checked] });
}

function perform(change) {
  history.length = historyEnd;
  history.push(change);
  historyEnd += 1;
  replay(change, 1);
}

function undoChange() {
  if (!historyEnd) return null;
  historyEnd -= 1;
  return replay(history[historyEnd], 0);
}

function redoChange() {
  if (historyEnd === history.length) return null;
  historyEnd += 1;
  return replay(history[historyEnd - 1], 1);
}

function replay(change, side) {
  for (const [segment, ...labels] of change.labels) setLabel(change.page, segment, labels[side]);
  change.page.checked = change.checked[side];
  unsaved = true;
  keep(change.page);
  return change;
}

// Browsers may refuse storage, above all to files: the review goes on, and says that it will not survive a reload.
function stored(work) {
  try {
    return work(window.localStorage);
  } catch (error) {
    storeProblem = error.name;
    return null;
  }
}

function keep(page) {
  stored((storage) => {
    const key = STORE_PREFIX + page.digest;
    if (isTouched(page)) {
      storage.setItem(key, JSON.stringify({ corrections: [...page.corrections], checked: page.checked }));
    } else storage.removeItem(key);
  });
}

// What other files could have written under our key is checked like any input.
function restore(page) {
  const text = stored((storage) => storage.getItem(STORE_PREFIX + page.digest));
  if (!text) return;
  let kept;
  try {
    kept = JSON.parse(text);
  } catch (error) {
    console.warn(`${page.name}: what the browser kept is not JSON`, error);
    return;
  }
  const total = page.counts.reduce((sum, count) => sum + count, 0);
  const isPlace = (value, end) => Number.isInteger(value) && value >= 0 && value < end;
  for (const pair of Array.isArray(kept?.corrections) ? kept.corrections : []) {
    if (Array.isArray(pair) && isPlace(pair[0], total) && isPlace(pair[1], LABELS.length)) setLabel(page, ...pair);
  }
  page.checked = kept?.checked === true;
}

// The pages as samples/README.md describes them, one JSON object a line.
function sampleOf(page) {
  const { lines, html } = bodyOf(page);
  const sample = { id: page.name, reviewed: true };
  if (page.url !== null) sample.url = page.url;
  if (html !== null) sample.html = html;
  return { ...sample, lines, labels: lines.map((_, segment) => LABELS[labelOf(page, segment)]) };
}

function samplesToSave() {
  return pages.filter((page) => isTouched(page) && page.counts.some(Boolean));
}
