// The card beside a segment (below the page on a narrow screen): probabilities, reasons, and the three labels to choose.

const card = document.getElementById("card");
const choices = LABELS.map((label, number) => choice(label, number));
const cardTitle = element("p", "card-title");
const choiceList = element("div", "choices");
const reasonList = element("ul", "reasons");
let cardSegment = -1;

choiceList.setAttribute("role", "group");
choiceList.setAttribute("aria-label", "Label");
choiceList.append(...choices);
card.append(cardTitle, choiceList, reasonList);

function choice(label, number) {
  const made = element("button", "choice");
  made.type = "button";
  made.dataset.label = label;
  made.append(
    element("kbd", "", String(number + 1)),
    element("span", "choice-name", NAMES[number]),
    element("span", "percent"),
    element("span", "meter"),
  );
  made.addEventListener("click", () => {
    if (!selection().includes(cardSegment)) select(cardSegment, false);
    labelSelection(number);
  });
  return made;
}

function showCard(segment) {
  cardSegment = segment;
  card.hidden = !rows[segment];
  if (card.hidden) return;
  const { percents, phrases, reasons, labels } = bodyOf(page);
  const label = labelOf(page, segment);
  choices.forEach((made, number) => {
    made.querySelector(".percent").textContent = `${percents[segment][number]} %`;
    made.querySelector(".meter").style.setProperty("--share", percents[segment][number] / 100);
    made.setAttribute("aria-pressed", String(number === label));
  });
  const several = selection().includes(segment) ? selection().length : 1;
  cardTitle.textContent = several > 1 ? `${several} segments selected` : `Segment ${segment + 1} of ${rows.length}`;
  const words = reasons[segment].map((phrase) => phrases[phrase]);
  reasonList.replaceChildren(...words.map((word) => element("li", "", word)));
  const verdict = page.corrections.has(segment) ? `Corrected; the model said ${NAMES[labels[segment]]}, for:` : "Why:";
  reasonList.dataset.verdict = words.length ? verdict : "";
  placeCard();
}

// Beside its segment, like a note in the margin, and never past the end of the sheet.
function placeCard() {
  const made = rows[cardSegment];
  if (!made || getComputedStyle(card).position !== "absolute") return;
  const top = made.getBoundingClientRect().top - sheet.getBoundingClientRect().top;
  const lowest = desk.scrollTop + desk.clientHeight - card.offsetHeight - 24;
  card.style.setProperty("--top", `${Math.max(0, Math.min(top, lowest))}px`);
}
