// The whole page in a strip: a band a segment, as tall as its text, in the colour of its label.

const minimap = document.getElementById("minimap");
const canvas = minimap.querySelector("canvas");
const viewport = minimap.querySelector(".window");
const LINE_CHARS = 72;
const TALLEST_LINE = 5; // Pixels; a short page does not fill the strip.
let edges = [0]; // Top of each segment in pixels, and the bottom of the last.

function drawMinimap() {
  const { lines } = bodyOf(page);
  const { clientWidth: width, clientHeight: height } = minimap;
  const heights = lines.map((line) => Math.ceil(line.length / LINE_CHARS) + 0.6);
  const total = heights.reduce((sum, lineHeight) => sum + lineHeight, 0);
  const scale = Math.min(TALLEST_LINE, height / Math.max(total, 1));
  edges = [0];
  for (const lineHeight of heights) edges.push(edges.at(-1) + lineHeight * scale);
  const density = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  const pen = canvas.getContext("2d");
  pen.scale(density, density);
  const style = getComputedStyle(document.documentElement);
  const colours = LABELS.map((label) => style.getPropertyValue(`--${label.replace("_", "-")}`));
  const passes = new Set(matches);
  const margin = width > 40 ? 10 : 3;
  lines.forEach((line, segment) => {
    pen.fillStyle = colours[labelOf(page, segment)];
    pen.globalAlpha = passes.has(segment) ? 0.85 : 0.22;
    drawBand(pen, line.length, edges[segment], edges[segment + 1], margin, width - 2 * margin);
    if (page.corrections.has(segment)) {
      pen.globalAlpha = 1;
      pen.fillRect(width - margin + 1, edges[segment], 3, Math.max(2, edges[segment + 1] - edges[segment]));
    }
  });
  followDesk();
}

// Lines of text where they can be told apart, else one band.
function drawBand(pen, chars, top, bottom, left, width) {
  const count = Math.ceil(chars / LINE_CHARS);
  const step = (bottom - top) / (count + 0.6);
  if (step < 2) {
    pen.fillRect(left, top, width * Math.min(1, chars / LINE_CHARS), Math.max(0.6, bottom - top - 0.2));
    return;
  }
  for (let line = 0; line < count; line += 1) {
    const filled = Math.min(1, (chars - line * LINE_CHARS) / LINE_CHARS);
    pen.fillRect(left, top + line * step, Math.max(2, width * filled), step * 0.62);
  }
}

// Asking the browser what is at the edge costs the same on a page of fifty segments and of five thousand.
function segmentAt(direction) {
  const box = desk.getBoundingClientRect();
  const paper = sheet.getBoundingClientRect();
  const across = paper.left + paper.width / 2;
  const edge = direction > 0 ? box.top : box.bottom;
  for (let inwards = 6; inwards < box.height; inwards += 14) {
    const hit = document.elementFromPoint(across, edge + direction * inwards)?.closest(".segment");
    if (hit) return Number(hit.dataset.segment);
  }
  return -1;
}

function followDesk() {
  const [first, last] = [segmentAt(1), segmentAt(-1)];
  viewport.hidden = first < 0;
  if (first < 0) return;
  viewport.style.top = `${edges[first]}px`;
  viewport.style.height = `${Math.max(8, edges[last + 1] - edges[first])}px`;
}

function scrollToMinimap(event) {
  const height = event.clientY - minimap.getBoundingClientRect().top;
  const segment = edges.findLastIndex((edge) => edge <= height);
  nearestRow(Math.min(segment, rows.length - 1))?.scrollIntoView({ block: "center" });
}

function nearestRow(segment) {
  for (let step = 0; step < rows.length; step += 1) {
    const found = rows[segment - step] ?? rows[segment + step];
    if (found) return found;
  }
  return undefined;
}

minimap.addEventListener("pointerdown", (event) => {
  minimap.setPointerCapture(event.pointerId);
  scrollToMinimap(event);
});
minimap.addEventListener("pointermove", (event) => {
  if (minimap.hasPointerCapture(event.pointerId)) scrollToMinimap(event);
});
