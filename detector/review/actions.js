// What a person can do, each called by its key and by its button.

const root = document.documentElement;
const status = document.getElementById("status");
const pageList = document.getElementById("pages");

function open(next) {
  const left = page;
  page = next;
  drawListed(left);
  cursor = anchor = -1;
  drawPage();
  desk.scrollTop = 0;
  drawFrame();
  if (matches.length) select(matches[0], false);
  desk.scrollTop = 0;
  document.body.classList.remove("menu-open");
  document.getElementById("menu").setAttribute("aria-expanded", "false");
}

// The parts around the page that depend on what was corrected.
function drawFrame() {
  drawMinimap();
  drawProgress();
  drawFilters();
  drawListed(page);
  const legend = sheet.querySelector(".legend");
  countsOf(page).forEach((count, label) => (legend.children[label].textContent = `${NAMES[label]} ${count}`));
  if (cursor >= 0) showCard(cursor);
  else card.hidden = true;
}

function drawProgress() {
  const checked = pages.filter((one) => one.checked).length;
  const corrected = pages.reduce((sum, one) => sum + one.corrections.size, 0);
  document.getElementById("checked").textContent = `${checked} of ${pages.length} checked`;
  document.getElementById("corrected").textContent = ` · ${corrected} corrected`;
  Object.assign(document.getElementById("progress"), { max: Math.max(1, pages.length), value: checked });
  document.getElementById("undo").disabled = historyEnd === 0;
  document.getElementById("redo").disabled = historyEnd === history.length;
  const count = samplesToSave().length;
  const save = document.getElementById("save");
  save.textContent = count ? `Save ${count}` : "Save";
  save.disabled = count === 0;
  save.title = count ? "Download the pages checked or corrected (s)" : "Nothing yet: correct a label or check a page";
}

function drawFilters() {
  const segments = [...bodyOf(page).lines.keys()];
  FILTERS.forEach((one, number) => {
    const button = document.getElementById("filters").children[number];
    button.setAttribute("aria-checked", String(one === filter));
    button.tabIndex = one === filter ? 0 : -1;
    button.lastChild.textContent = segments.filter((segment) => one.of(page, segment)).length;
  });
}

function drawListed(one) {
  const item = pageList.children[one.number];
  item.classList.toggle("checked", one.checked);
  item.classList.toggle("touched", isTouched(one));
  if (one === page) item.setAttribute("aria-current", "page");
  else item.removeAttribute("aria-current");
  const counts = countsOf(one);
  counts.forEach((count, label) => item.querySelector(".share").children[label].style.setProperty("--count", count));
  const corrected = one.corrections.size ? ` · ${one.corrections.size} corrected` : "";
  item.querySelector(".tally").textContent = (one.checked ? "✓ checked" : `${one.unsure} unsure`) + corrected;
}

function labelSelection(label) {
  const chosen = selection();
  if (!chosen.length) return;
  const changed = relabel(page, chosen, label);
  chosen.forEach(paint);
  drawFrame();
  say(`${chosen.length === 1 ? "Segment" : `${chosen.length} segments`}: ${NAMES[label]}${changed ? "" : " already"}`);
}

function step(direction, extend) {
  const at = direction > 0
    ? matches.find((segment) => segment > cursor)
    : matches.findLast((segment) => segment < cursor || cursor < 0);
  if (at !== undefined) select(at, extend);
}

function nextUnsure() {
  const unsure = matches.filter((segment) => FILTERS[1].of(page, segment));
  const at = unsure.find((segment) => segment > cursor) ?? unsure[0];
  if (at === undefined) say("No unsure segment is left on this page");
  else select(at, false);
}

function turnPage(direction) {
  const next = pages[page.number + direction];
  if (next) open(next);
  else say(direction > 0 ? "This is the last page" : "This is the first page");
}

function checkAndGoOn() {
  setChecked(page, true);
  const next = pages.find((one) => !one.checked && one.number > page.number) ?? pages.find((one) => !one.checked);
  open(next ?? page);
  say(next ? "Checked; the next page" : "Every page is checked: save them");
}

function uncheck() {
  setChecked(page, false);
  open(page);
}

function travel(change, done) {
  if (!change) return say(`Nothing to ${done}`);
  if (change.page !== page) open(change.page);
  else if (change.labels.length) change.labels.forEach(([segment]) => paint(segment));
  else drawPage();
  const place = change.labels[0]?.[0];
  if (rows[place]) select(place, false);
  drawFrame();
  return say(`${done === "undo" ? "Undone" : "Done again"}: ${change.labels.length || "check"}`);
}

function show(next) {
  filter = next;
  const before = cursor;
  open(page);
  if (rows[before] && matches.includes(before)) select(before, false);
}

function save() {
  const chosen = samplesToSave();
  if (!chosen.length) return say("Nothing to save yet: correct a label or check a page");
  const text = chosen.map((one) => `${JSON.stringify(sampleOf(one))}\n`);
  const link = element("a");
  link.href = URL.createObjectURL(new Blob(text, { type: "application/jsonl" }));
  link.download = "reviewed.jsonl";
  link.click();
  // The download reads the blob after this function has returned.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  unsaved = false;
  return say(`Saved ${chosen.length} ${chosen.length === 1 ? "page" : "pages"} as reviewed.jsonl`);
}

function switchTheme() {
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : window.matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  stored((storage) => storage.setItem(`${STORE_PREFIX}theme`, root.dataset.theme));
  drawMinimap();
}

let fading = 0;
function say(message) {
  status.textContent = message;
  status.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => status.classList.remove("shown"), 2500);
}
