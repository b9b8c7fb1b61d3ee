// What a page of the site does by itself.  Without it everything can be read, and nothing searched.

// Who changes the language stays in the same section: addresses are the same in both.
for (const link of document.querySelectorAll(".languages a"))
    link.addEventListener("click", () => { link.hash = location.hash; });

// On a narrow screen the text comes first, and the list of headings is folded up.
if (matchMedia("(max-width: 999px)").matches)
    document.querySelector(".headings details").open = false;

// What is wider than the screen can be moved by the keyboard, too.
function reachScrollers() {
    for (const part of document.querySelectorAll("pre, table, figure, .text p"))
        if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
        else part.removeAttribute("tabindex");
}
addEventListener("load", reachScrollers);
addEventListener("resize", reachScrollers);
document.addEventListener("toggle", reachScrollers, true);

const form = document.querySelector("header form");
const input = form.querySelector("input");
const found = form.querySelector(".found");
const folded = text => text.normalize("NFC").toLowerCase();
const MOST = 20, BEFORE = 40, AFTER = 110; // results; letters round what was found
let index;
form.hidden = false;

function loadIndex() { // as a script: a page from a disk may fetch nothing
    index ??= new Promise(resolve => {
        const script = document.createElement("script");
        script.src = "search.js";
        script.onload = () => resolve(window.COURSE_SEARCH.map(entry => ({
            ...entry,
            inHeading: folded(`${entry.lesson} ${entry.heading}`),
            inText: folded(entry.text),
        })));
        document.head.append(script);
    });
    return index;
}

// Every word must be there, anywhere in the section; one in the heading counts more.
function score(entry, words) {
    let sum = 0;
    for (const word of words) {
        const times = entry.inText.split(word).length - 1;
        const here = 10 * entry.inHeading.includes(word) + Math.min(times, 5);
        if (!here) return 0;
        sum += here;
    }
    return sum;
}

function marked(text, words) { // the text round the first word, words marked
    const lower = folded(text);
    const first = Math.min(...words.map(word => lower.indexOf(word)).filter(at => at >= 0));
    const start = Number.isFinite(first) ? Math.max(0, first - BEFORE) : 0;
    const part = (start ? "…" : "") + text.slice(start, start + BEFORE + AFTER) + "…";
    const pattern = words.map(word => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
    return part.split(new RegExp(`(${pattern})`, "gi")).map((piece, i) => {
        if (i % 2 === 0) return piece;
        const mark = document.createElement("mark");
        mark.textContent = piece;
        return mark;
    });
}

function result(entry, words) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    const where = document.createElement("small");
    const text = document.createElement("div");
    link.href = entry.href;
    link.textContent = entry.heading;
    where.textContent = entry.lesson;
    text.append(...marked(entry.text, words));
    item.append(link, where, text);
    return item;
}

async function search() {
    const words = folded(input.value).split(/\s+/).filter(Boolean);
    const entries = await loadIndex();
    const best = words.length === 0 ? [] : entries
        .map(entry => [score(entry, words), entry])
        .filter(([points]) => points)
        .sort((one, other) => other[0] - one[0]);
    const status = found.querySelector("p");
    status.textContent = status.dataset.says.replace("{count}", best.length);
    found.querySelector("ul").replaceChildren(
        ...best.slice(0, MOST).map(([, entry]) => result(entry, words)));
    found.hidden = words.length === 0;
}

input.addEventListener("focus", loadIndex);
input.addEventListener("input", search);
form.addEventListener("submit", event => {
    event.preventDefault();
    found.querySelector("a")?.click();
});
form.addEventListener("keydown", event => { if (event.key === "Escape") found.hidden = true; });
document.addEventListener("click", event => {
    if (!form.contains(event.target) || event.target.closest(".found a")) found.hidden = true;
});
