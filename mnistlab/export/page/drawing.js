"use strict";
// A paper to draw on, and for each net what it sees and what it answers.

const byId = (id) => document.getElementById(id);
const TOLD = [...document.querySelectorAll("script.net")].map((each) => JSON.parse(each.textContent));
const MANY = 12; // classes, from which on only the most probable are shown

// ---- The paper -----------------------------------------------------------------------------------------------------

const SIZE = 168; // pixels of the picture that is prepared; the one that is seen has three times as many
const paper = byId("paper");
const hidden = element("canvas", { width: SIZE, height: SIZE });
const pens = [hidden.getContext("2d", { willReadFrequently: true }), paper.getContext("2d")];
pens[1].scale(paper.width / SIZE, paper.height / SIZE);

const drawing = {
  steps: [], // strokes { points, width, erases }, pictures { picture } and { clears: true }, in their order
  erases: false,
  stroke: null, // the one that is drawn
  cursor: { x: SIZE / 2, y: SIZE / 2, isDown: false },
  test: null, // the number of the test image that is shown in its place
};

function paint(step) {
  for (const pen of pens) {
    if (step.clears || step.picture) {
      pen.fillStyle = "#ffffff";
      pen.fillRect(0, 0, SIZE, SIZE);
    }
    if (!step.picture) continue;
    pen.imageSmoothingEnabled = !step.isSmall;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(step.picture, ...placeOn(step.picture));
  }
  if (step.points) paintFrom(step, 0);
}

// Where a picture lies on the paper: left, top, width and height.
function placeOn({ width, height }) {
  const sizes = [width, height].map((side) => Math.max(1, Math.round((side * SIZE) / Math.max(width, height))));
  return [...sizes.map((size) => Math.floor((SIZE - size) / 2)), ...sizes];
}

function paintFrom({ points, width, erases }, first) {
  for (const pen of pens) {
    pen.strokeStyle = erases ? "#ffffff" : "#000000";
    pen.lineWidth = erases ? width * 1.6 : width;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(...points[Math.max(first - 1, 0)]);
    for (const point of points.slice(first)) pen.lineTo(...point);
    pen.stroke();
  }
}

function lastPicture() {
  const from = drawing.steps.findLastIndex((step) => step.picture || step.clears);
  return from < 0 ? null : drawing.steps[from].picture;
}

function repaint() {
  paint({ clears: true });
  const from = drawing.steps.findLastIndex((step) => step.picture || step.clears);
  drawing.steps.slice(Math.max(from, 0)).forEach(paint);
  changed();
}

function add(step) {
  drawing.steps.push(step);
  if (!step.points) repaint();
}

function begin(x, y, width = Number(byId("width").value)) {
  sign = -1;
  if (drawing.test !== null) clear();
  drawing.stroke = { points: [[x, y], [x, y + 0.01]], width, erases: drawing.erases };
  drawing.steps.push(drawing.stroke);
  paintFrom(drawing.stroke, 0);
  changed();
}

function extend(x, y) {
  if (!drawing.stroke) return;
  drawing.stroke.points.push([x, y]);
  paintFrom(drawing.stroke, drawing.stroke.points.length - 1);
  changed();
}

function clear() {
  sign = -1;
  if (drawing.steps.length && !drawing.steps[drawing.steps.length - 1].clears) drawing.steps.push({ clears: true });
  drawing.test = null;
  repaint();
}

function undo() {
  if (drawing.test === null) drawing.steps.pop();
  drawing.test = null;
  repaint();
}

function choose(erases) {
  drawing.erases = erases;
  byId("pen").setAttribute("aria-pressed", String(!erases));
  byId("eraser").setAttribute("aria-pressed", String(erases));
}

function placeOf(event) {
  const box = paper.getBoundingClientRect();
  return [((event.clientX - box.left) * SIZE) / box.width, ((event.clientY - box.top) * SIZE) / box.height];
}

paper.addEventListener("pointerdown", (event) => {
  if (event.button > 0 && event.button !== 5) return; // 5 is the other end of a pen
  paper.setPointerCapture(event.pointerId);
  if (event.button === 5) choose(true);
  begin(...placeOf(event));
  event.preventDefault();
});
paper.addEventListener("pointermove", (event) => {
  if (!drawing.stroke) return;
  const all = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  for (const each of all.length ? all : [event]) extend(...placeOf(each));
});
for (const name of ["pointerup", "pointercancel"]) paper.addEventListener(name, () => (drawing.stroke = null));

paper.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [-5, 0], ArrowRight: [5, 0], ArrowUp: [0, -5], ArrowDown: [0, 5] }[event.key];
  const { cursor } = drawing;
  if (event.key === " ") {
    cursor.isDown = !cursor.isDown;
    if (cursor.isDown) begin(cursor.x, cursor.y);
    else drawing.stroke = null;
    say(cursor.isDown ? "Pen down" : "Pen up");
  } else if (step) {
    cursor.x = Math.min(Math.max(cursor.x + step[0], 0), SIZE);
    cursor.y = Math.min(Math.max(cursor.y + step[1], 0), SIZE);
    if (cursor.isDown) extend(cursor.x, cursor.y);
  } else return;
  event.preventDefault();
});

byId("pen").addEventListener("click", () => choose(false));
byId("eraser").addEventListener("click", () => choose(true));
byId("undo").addEventListener("click", undo);
byId("clear").addEventListener("click", clear);
addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "z") {
    undo();
    event.preventDefault();
  }
});

// ---- Images -------------------------------------------------------------------------------------------------------------

function drawImage(canvas, image, [channels, height, width], isTurned = false) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d"), pixels = context.createImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    for (let part = 0; part < 3; part++) {
      const value = image[(channels === 1 ? 0 : part) * width * height + at];
      pixels.data[4 * at + part] = isTurned ? 255 - value : value;
    }
    pixels.data[4 * at + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
}

function element(name, attributes = {}, ...inner) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...inner);
  return made;
}

// ---- One net --------------------------------------------------------------------------------------------------------

class View {
  constructor(net) {
    this.net = net;
    this.image = null; // what the net sees
    this.seen = element("canvas", { class: "seen", role: "img", "aria-label": "What the net sees" });
    this.best = element("p", { class: "best" });
    this.sure = element("p", { class: "small" });
    const [, height, width] = net.shape;
    this.element = element("section", { "aria-label": net.about.model },
      ...(nets.length > 1 ? [element("h3", {}, net.about.model)] : []),
      element("div", { class: "answer" },
        element("figure", {}, this.seen, element("figcaption", {}, `${height} × ${width}, as the net sees it`)),
        element("div", {}, this.best, this.sure)));
    this.bars = Object.entries(net.heads).map(([name, classes]) => this.head(name, classes));
    byId("nets").append(this.element);
  }

  head(name, classes) {
    const list = element("dl", { class: classes.length > MANY ? "bars many" : "bars", "aria-label": `Probabilities of ${name}` });
    if (classes.length > MANY) list.tabIndex = 0; // it scrolls
    const rows = classes.map((each) => {
      const fill = element("span"), bar = element("dd", { class: "bar", "aria-hidden": "true" }, fill);
      const title = element("dt", {}, each), number = element("dd", { class: "number" });
      list.append(title, bar, number);
      return { fill, bar, title, number };
    });
    if (Object.keys(this.net.heads).length > 1) this.element.append(element("h3", {}, name));
    this.element.append(list);
    return { name, rows, top: -1 };
  }

  // Answer the chosen sign of the picture.
  show(images, choice) {
    this.image = images.length ? images[choice] : null;
    const image = this.image || new Uint8Array(this.net.size), heads = this.net.answer(image);
    drawImage(this.seen, image, this.net.shape);
    for (const head of this.bars) this.fill(head, heads[head.name]);
    this.tell(heads[this.net.primary]);
    return heads;
  }

  fill(head, values) {
    const top = this.image ? largest(values) : -1;
    head.rows.forEach(({ fill, bar, title, number }, at) => {
      const value = this.image ? values[at] : 0;
      fill.style.transform = `scaleX(${value})`;
      number.textContent = this.image ? shown(value) : "";
      if ((at === top) !== (at === head.top)) for (const each of [bar, title]) each.classList.toggle("top", at === top);
    });
    if (top !== head.top && head.rows.length > MANY && top >= 0) {
      const list = head.rows[0].title.parentElement;
      list.scrollTop = head.rows[top].title.offsetTop - list.offsetTop - list.clientHeight / 2;
    }
    head.top = top;
  }

  tell(values) {
    const names = this.net.heads[this.net.primary], top = largest(values);
    const name = this.image ? names[top] : "";
    this.best.textContent = name;
    this.best.classList.toggle("long", name.length > 3);
    this.sure.textContent = this.image ? `with ${shown(values[top])}` : "nothing drawn yet";
    this.said = this.image ? `${nets.length > 1 ? `${this.net.about.model}: ` : ""}${name}, ${shown(values[top])}` : "";
  }
}

function shown(value) {
  return value > 0.9995 && value < 1 ? "> 99.9 %" : `${(100 * value).toFixed(1)} %`;
}

// ---- From a change to the answers -----------------------------------------------------------------------------------

let nets = [], views = [], waiting = false, sign = -1, announcing = 0;

// Answer once the next picture of the screen is due.
function changed() {
  if (!waiting) requestAnimationFrame(look);
  waiting = true;
}

function look() {
  waiting = false;
  paper.classList.toggle("drawn", drawing.test === null && !lastPicture());
  const below = lastPicture(), picture = pens[0].getImageData(...(below ? placeOn(below) : [0, 0, SIZE, SIZE]));
  const known = new Map();
  for (const view of views) {
    const { preparation, shape } = view.net, key = JSON.stringify([preparation, shape]);
    if (!known.has(key)) known.set(key, imagesOf(picture, view.net));
    const images = known.get(key);
    view.show(images, sign >= 0 && sign < images.length ? sign : biggest(images));
  }
  clearTimeout(announcing);
  announcing = setTimeout(() => say(views.map((view) => view.said).join("; ")), 500);
}

function imagesOf(picture, net) {
  if (drawing.test !== null) return [net.image(net.tests, drawing.test % net.tests.labels.length)];
  if (!drawing.steps.length || drawing.steps[drawing.steps.length - 1].clears) return [];
  const found = prepared(picture, net.preparation, net.shape);
  imagesOf.boxes = found.map(({ box }) => box);
  return found.map(({ image }) => image);
}

function biggest(images) {
  const sizes = (imagesOf.boxes || []).map((box) => (box.right - box.left) * (box.bottom - box.top));
  return images.length > 1 ? largest(sizes) : 0;
}

function say(text) {
  byId("said").textContent = text;
}

// Show the nets of the page, each by a view of this kind.
async function start(Kind) {
  nets = await openNets(TOLD);
  views = nets.map((net) => new Kind(net));
  clear();
}
