"use strict";
// What is on the whole page besides: pictures and test images, what a net makes of them, and what is kept.

const NEIGHBOURS = 8;

// ---- Pictures and test images ---------------------------------------------------------------------------------------

async function take(file) {
  if (!file) return;
  try {
    const picture = await createImageBitmap(file);
    drawing.test = null;
    add({ picture });
  } catch {
    say(`${file.name} cannot be read as a picture.`, true);
  }
}

byId("file").addEventListener("change", (event) => take(event.target.files[0]));
addEventListener("paste", (event) => take([...event.clipboardData.files].find((file) => file.type.startsWith("image/"))));
for (const name of ["dragover", "dragleave", "drop"])
  addEventListener(name, (event) => {
    event.preventDefault();
    paper.classList.toggle("over", name === "dragover");
    if (name === "drop") take(event.dataTransfer.files[0]);
  });

function tellTest() {
  const number = drawing.test, { kind, tests: { labels } } = nets[0], names = nets[0].heads[nets[0].primary];
  byId("tested").textContent = number === null ? `${kind[0].toUpperCase()}${kind.slice(1)} images` : `${number + 1} of ${labels.length}: ${names[labels[number]]}`;
}

function turn(step) {
  const count = nets[0].tests.labels.length;
  drawing.test = drawing.test === null ? (step > 0 ? 0 : count - 1) : (drawing.test + step + count) % count;
  const image = nets[0].image(nets[0].tests, drawing.test);
  const picture = element("canvas");
  drawImage(picture, image, nets[0].shape, !["whole", "stretched"].includes(nets[0].preparation.way));
  paint({ picture, isSmall: true });
  changed();
}

byId("before").addEventListener("click", () => turn(-1));
byId("after").addEventListener("click", () => turn(1));

// ---- Colours and images ---------------------------------------------------------------------------------------------

let colours = {};

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["raised", "right", "wrong", "line", "ink"]) {
    const text = style.getPropertyValue(`--${name}`).trim();
    colours[name] = [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  }
}

// ---- One net --------------------------------------------------------------------------------------------------------

class PageView extends View {
  constructor(net) {
    super(net);
    this.signs = element("ul", { class: "signs", "aria-label": "Signs of the picture" });
    this.element.querySelector(".answer").after(this.signs);
    this.more();
    this.drawers = net.stages.map((stage) => new StageView(this, stage));
    byId("stages").append(element("div", {}, ...(nets.length > 1 ? [element("h3", {}, net.about.model)] : []),
      ...this.drawers.map((each) => each.element)));
  }

  more() {
    if (!this.net.heat) {
      this.element.append(element("p", { class: "small" }, "Where this net looks cannot be worked out here; `mnistlab explain` shows it."));
    } else {
      this.heat = element("canvas", { class: "seen", role: "img", "aria-label": "Where the net looks" });
      const { method, stage } = this.net.heat;
      const how = { gradcam: `Grad-CAM of ${stage}`, attention: "attention", gradient: "by the gradient" }[method];
      this.element.querySelector(".answer").append(
        element("figure", {}, this.heat, element("figcaption", {}, `where it looks: ${how}`)));
    }
    if (this.net.similar.labels.length) {
      this.similar = element("ul", { class: "row", "aria-label": "Most similar training images" });
      this.element.append(element("h3", {}, "Most similar training images"), this.similar);
    }
  }

  // Answer all signs, the chosen one at last.
  show(images, choice) {
    const { net } = this;
    this.answers = images.map((image, number) => (number === choice ? 0 : largest(net.answer(image)[net.primary])));
    const best = (this.answers[choice] = largest(super.show(images, choice)[net.primary]));
    this.listed(images, choice);
    tellTest();
    for (const each of this.drawers) each.draw();
    if (this.heat) this.glow(this.image || new Uint8Array(net.size), best);
    if (this.similar) this.compare();
  }

  listed(images, choice) {
    this.signs.replaceChildren(...(images.length < 2 ? [] : images.map((image, number) => {
      const canvas = element("canvas", { "aria-hidden": "true" });
      drawImage(canvas, image, this.net.shape);
      const name = this.net.heads[this.net.primary][this.answers[number]];
      const chosen = () => changed((sign = number));
      return element("li", {}, element("button", { type: "button", "aria-pressed": String(number === choice), onclick: chosen },
        canvas, name));
    })));
  }

  glow(image, choice) {
    const { heat, net } = this, [channels, height, width] = net.shape, [rows, columns] = net.heat.shape;
    const found = this.image ? net.looked(choice) : new Float32Array(rows * columns);
    const scale = 2;
    if (heat.width !== width * scale) [heat.width, heat.height] = [width * scale, height * scale];
    const context = heat.getContext("2d"), pixels = context.createImageData(heat.width, heat.height);
    const near = (size, old) => Array.from({ length: size }, (_, at) => {
      const place = Math.min(Math.max(((at + 0.5) * old) / size - 0.5, 0), old - 1), below = Math.min(Math.floor(place), Math.max(old - 2, 0));
      return [below, Math.min(below + 1, old - 1), place - below];
    });
    const across = near(heat.width, columns);
    near(heat.height, rows).forEach(([up, down, low], y) => across.forEach(([left, right, far], x) => {
      const level = (found[up * columns + left] * (1 - far) + found[up * columns + right] * far) * (1 - low)
        + (found[down * columns + left] * (1 - far) + found[down * columns + right] * far) * low;
      const at = 4 * (y * heat.width + x), from = Math.floor(y / scale) * width + Math.floor(x / scale);
      for (let part = 0; part < 3; part++) {
        const value = 0.75 * image[(channels === 1 ? 0 : part) * width * height + from];
        pixels.data[at + part] = value + (colours.wrong[part] - value) * 0.8 * level;
      }
      pixels.data[at + 3] = 255;
    }));
    context.putImageData(pixels, 0, 0);
  }

  compare() {
    const found = this.image ? this.net.nearest(NEIGHBOURS) : [];
    if (this.similar.children.length !== found.length)
      this.similar.replaceChildren(...found.map(() => element("li", {},
        element("canvas", { "aria-hidden": "true" }), element("b"), element("span"))));
    found.forEach(({ number, label, likeness }, place) => {
      const [canvas, name, like] = this.similar.children[place].children;
      drawImage(canvas, this.net.image(this.net.similar, number), this.net.shape);
      name.textContent = this.net.heads[this.net.primary][label];
      like.textContent = ` ${shown(likeness)}`;
    });
  }
}

// ---- The maps of a stage --------------------------------------------------------------------------------------------

class StageView {
  constructor(view, stage) {
    const [channels, height, width] = stage.shape;
    Object.assign(this, { view, stage, net: view.net, isMap: height * width > 1, cursor: 0 });
    this.what = this.isMap ? "map" : "neuron";
    const size = this.isMap ? `${channels} maps of ${height} × ${width}` : `${channels} neurons`;
    this.canvas = element("canvas", {
      tabindex: "0", role: "application",
      "aria-label": `Stage ${stage.name}, ${size}. Arrow keys choose one, the space bar switches it off or on.`,
      onclick: (event) => this.toggle(this.at(event)),
      onpointermove: (event) => this.point(this.at(event)),
      onkeydown: (event) => this.key(event),
    });
    this.element = element("div", { class: "stage" }, element("h3", {}, stage.name, element("span", {}, size)), this.canvas);
  }

  get columns() {
    const most = this.isMap ? 16 : 24, narrow = innerWidth < 700 ? 2 : 1;
    return Math.min(this.stage.shape[0], most / narrow);
  }

  get mask() {
    return this.net.parts.masks[this.stage.name];
  }

  // How many pixels a map has on the canvas, with its edge.
  get tile() {
    const [, height, width] = this.stage.shape, scale = this.isMap ? Math.max(1, Math.round(28 / width)) : 16;
    return { scale, high: height * scale + 2, wide: width * scale + 2 };
  }

  draw() {
    const { offset, steps: [perChannel, perRow, perColumn], shape: [channels, height, width] } = this.stage;
    const values = this.net.parts.stages[this.stage.name], { columns, canvas, tile: { scale, high, wide } } = this;
    const wanted = [columns * wide, Math.ceil(channels / columns) * high];
    if (canvas.width !== wanted[0] || canvas.height !== wanted[1]) [canvas.width, canvas.height] = wanted;
    const context = canvas.getContext("2d"), pixels = context.createImageData(canvas.width, canvas.height);
    const row = new Uint32Array(pixels.data.buffer);
    let most = 1e-9;
    for (let at = 0; at < values.length; at++) most = Math.max(most, Math.abs(values[at]));
    const shades = shadesOf(), factor = this.view.image ? 127 / most : 0, across = canvas.width;
    for (let channel = 0; channel < channels; channel++) {
      const start = (Math.floor(channel / columns) * high + 1) * across + (channel % columns) * wide + 1;
      for (let y = 0; y < height; y++) {
        const first = start + y * scale * across;
        for (let x = 0, from = offset + channel * perChannel + y * perRow; x < width; x++, from += perColumn)
          row.fill(shades[Math.round(values[from] * factor) + 127], first + x * scale, first + (x + 1) * scale);
        for (let more = 1; more < scale; more++) row.copyWithin(first + more * across, first, first + width * scale);
      }
      if (this.mask[channel]) continue;
      for (let y = 0; y < height * scale; y++) // a line across what is switched off
        row.fill(shades[255], start + y * across + Math.floor((y * width) / height), start + y * across + Math.ceil(((y + 1) * width) / height));
    }
    context.putImageData(pixels, 0, 0);
    if (document.activeElement === canvas) this.mark(context);
  }

  mark(context) {
    const { columns, cursor, tile: { high, wide } } = this;
    context.strokeStyle = getComputedStyle(this.canvas).color;
    context.strokeRect((cursor % columns) * wide + 0.5, Math.floor(cursor / columns) * high + 0.5, wide - 1, high - 1);
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect(), { columns, tile: { high, wide } } = this;
    const x = ((event.clientX - box.left) * this.canvas.width) / box.width / wide;
    const y = ((event.clientY - box.top) * this.canvas.height) / box.height / high;
    return Math.min(Math.max(Math.floor(y), 0) * columns + Math.min(Math.max(Math.floor(x), 0), columns - 1), this.stage.shape[0] - 1);
  }

  point(channel) {
    const text = `${this.stage.name}, ${this.what} ${channel + 1} of ${this.stage.shape[0]}: ${this.mask[channel] ? "on" : "off"}`;
    if (byId("pointed").textContent !== text) byId("pointed").textContent = text;
  }

  toggle(channel) {
    this.cursor = channel;
    this.mask[channel] = this.mask[channel] ? 0 : 1;
    byId("all-on").disabled = !nets.some((net) => Object.values(net.parts.masks).some((mask) => mask.includes(0)));
    this.point(channel);
    changed();
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns }[event.key];
    if (event.key === " " || event.key === "Enter") this.toggle(this.cursor);
    else if (step) {
      this.cursor = Math.min(Math.max(this.cursor + step, 0), this.stage.shape[0] - 1);
      this.point(this.cursor);
      this.draw();
    } else return;
    event.preventDefault();
  }
}

let shades = null;

// From orange over the ground to blue in 255 steps, and the colour of a cross, as the words of pixels.
function shadesOf() {
  if (shades) return shades;
  const word = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  const mixed = (end, part) => word(colours.raised.map((value, at) => Math.round(value + (end[at] - value) * part)));
  shades = new Uint32Array(256);
  for (let level = 0; level < 255; level++) shades[level] = mixed(level < 127 ? colours.wrong : colours.right, Math.abs(level - 127) / 127);
  shades[255] = word(colours.ink);
  return shades;
}

byId("all-on").addEventListener("click", () => {
  for (const net of nets) for (const mask of Object.values(net.parts.masks)) mask.fill(1);
  byId("all-on").disabled = true;
  byId("pointed").textContent = "All are on.";
  changed();
});

// ---- Keeping what was drawn -----------------------------------------------------------------------------------------

const keptImages = [];

function keep() {
  const { image, net } = views[0], label = byId("class").selectedIndex;
  if (!image) return say("Nothing is drawn yet.");
  const one = { image: image.slice(), label };
  keptImages.push(one);
  const canvas = element("canvas", { "aria-hidden": "true" }), name = net.heads[net.primary][label];
  drawImage(canvas, one.image, net.shape);
  const item = element("li", {}, canvas, element("button", {
    type: "button", "aria-label": `${name}: do not keep it`,
    onclick: () => {
      keptImages.splice(keptImages.indexOf(one), 1);
      item.remove();
      count();
    },
  }, `${name} ×`));
  byId("kept").append(item);
  count();
  say(`Kept as ${name}.`);
  clear();
}

function count() {
  const many = keptImages.length;
  byId("save").disabled = !many;
  byId("save").textContent = many ? `Save my digits (${many})` : "Save my digits";
}

function savedDigits() {
  const { size, shape: [channels, height, width] } = nets[0];
  const values = new Uint8Array(keptImages.length * size);
  keptImages.forEach(({ image }, number) => {
    for (let at = 0; at < height * width; at++)
      for (let part = 0; part < channels; part++) values[number * size + at * channels + part] = image[part * height * width + at];
  });
  const shape = channels === 1 ? [keptImages.length, height, width] : [keptImages.length, height, width, channels];
  const names = nets[0].heads[nets[0].primary];
  const labels = keptImages.map(({ label }) => names[label]);
  return npz({ x_test: npy(values, shape), y_test: npyOfTexts(labels), class_names: npyOfTexts(names) });
}

byId("keep").addEventListener("click", keep);
byId("save").addEventListener("click", () => {
  const link = element("a", { href: URL.createObjectURL(savedDigits()), download: "my-digits.npz" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});

// ---- The beginning --------------------------------------------------------------------------------------------------

function describe() {
  const digits = nets[0].heads[nets[0].primary].every((name, number) => name === String(number));
  byId("title").textContent = digits ? "Draw a digit" : "Draw something";
  byId("about").textContent = nets.map(({ about }) => `${about.model}: ${about.accuracy} of ${about.data} right`).join(" · ");
  byId("class").append(...nets[0].heads[nets[0].primary].map((name) => element("option", {}, name)));
  tellTest();
  byId("turning").hidden = !nets[0].tests.labels.length;
  byId("inside").hidden = nets.every((net) => !net.stages.length);
  if (nets[0].preparation.same === false)
    byId("keys").textContent += " These data prepare pictures in a way of their own, which the page does not know: it resizes them.";
}

function check() {
  const texts = nets.map((net) => `${net.agreeing()} of ${net.tests.labels.length}`);
  byId("checked").textContent = `Checked in this browser: ${texts.join(" and ")} ${nets[0].kind} images get the probabilities that the net itself gives them.`;
  changed();
}

readColours();
const ready = start(PageView).then(() => {
  describe();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readColours();
    shades = null;
    changed();
  });
  addEventListener("resize", changed);
  setTimeout(check, 50);
});

// For whoever tries a page on images of a test set: text of bytes in, text of float32 out.
async function answerPacked(text) {
  await ready;
  const bytes = new Uint8Array(nets[0].answerAll(decoded(text)).buffer);
  let out = "";
  for (let at = 0; at < bytes.length; at += 8192) out += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(out);
}
