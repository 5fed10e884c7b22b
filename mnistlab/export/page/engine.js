"use strict";
// Runs nets. Nothing here knows of a page: node runs the same text when a file is proved.

const engines = []; // what makes a net from its weights, one for each net; the scripts after this one fill it

// What a net works in: one memory of so many numbers, and what fills arrays of it with sums of products.
function workshop(numbers) {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(numbers / 16384) });
  const kernel = new WebAssembly.Instance(new WebAssembly.Module(decoded(KERNEL)), { page: { memory } }).exports;
  let end = 0;
  const array = (size, Kind = Float32Array) => {
    const made = new Kind(memory.buffer, end, size);
    end += 4 * size;
    return made;
  };
  const table = (places) => {
    const made = array(places.length, Int32Array);
    made.set(places.map((place) => 4 * place));
    return [made.byteOffset, end];
  };
  const fours = (list) => [...list, ...Array(-list.length & 3).fill(list[list.length - 1])];

  // For each dimension its size and its role: of a group, a place or a channel of the target, or a tap, which is summed
  // over. Views are arrays with an offset and the steps of each dimension; known weights are packed once.
  return { array, products({ sizes, roles, input, weights, target, bias, isKnown }) {
    const along = (role, view) => sizes.reduce((known, size, dim) => (roles[dim] !== role ? known
      : known.flatMap((place) => Array.from({ length: size }, (_, number) => place + number * view.steps[dim]))), [0]);
    const [run, rows] = along("p", target).length === 1 ? [kernel.one, (list) => list] : [kernel.four, fours];
    const tables = [...table(rows(along("p", input))), table(rows(along("p", target)))[0],
      ...table(fours(along("c", target))), ...table(along("t", input))];
    const channels = fours(along("c", weights)), taps = along("t", weights), shifts = bias && fours(along("c", bias));
    const [inputs, targets, groups, starts] = [input, target, weights, bias || weights].map((view) => along("g", view));
    const packed = groups.map(() => array(channels.length * (taps.length + 1)));
    const pack = () => packed.forEach((kept, group) => {
      for (let first = 0, at = 0; first < channels.length; first += 4) {
        for (let lane = first; lane < first + 4; lane++) kept[at++] = bias ? bias.array[bias.offset + starts[group] + shifts[lane]] : 0;
        for (const tap of taps)
          for (let lane = first; lane < first + 4; lane++) kept[at++] = weights.array[weights.offset + groups[group] + channels[lane] + tap];
      }
    });
    if (isKnown) pack();
    const calls = packed.map((kept, group) => [input.array.byteOffset + 4 * (input.offset + inputs[group]),
      target.array.byteOffset + 4 * (target.offset + targets[group]), ...tables, kept.byteOffset]);
    return () => {
      if (!isKnown) pack();
      for (const call of calls) run(...call);
    };
  } };
}

// The error function, by its series, to the last bits of a float32.
function erf(x) {
  const a = Math.abs(x);
  if (a > 4) return x > 0 ? 1 : -1;
  let term = a, sum = a;
  for (let n = 1; term > sum * 1e-12; n++) sum += term *= (2 * a * a) / (2 * n + 1);
  sum *= (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a);
  return x < 0 ? -sum : sum;
}

function decoded(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

async function unpacked(text) {
  const stream = new Blob([decoded(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return (await new Response(stream).arrayBuffer());
}

function largest(values) {
  let best = 0;
  for (let at = 1; at < values.length; at++) if (values[at] > values[best]) best = at;
  return best;
}

class Net {
  constructor(told, buffer, engine) {
    let at = 0;
    const take = (Kind, count) => new Kind(buffer, at, count, (at += count * Kind.BYTES_PER_ELEMENT));
    this.about = told.about;
    this.heads = told.heads; // the names of the classes of each head
    this.primary = Object.keys(told.heads)[0];
    this.shape = told.shape;
    this.preparation = told.preparation;
    this.stages = told.stages;
    this.normalization = told.normalization;
    this.size = told.shape[0] * told.shape[1] * told.shape[2];
    this.outputs = Object.values(told.heads).reduce((sum, names) => sum + names.length, 0);
    this.parts = engine(take(Float32Array, told.weights));
    this.kind = told.kind; // of the images that it can be tested with: test, validation or training
    this.tests = { labels: told.tests, probabilities: take(Float32Array, told.tests.length * this.outputs) };
    this.tests.images = take(Uint8Array, told.tests.length * this.size);
    this.similar = { labels: told.similar, images: take(Uint8Array, told.similar.length * this.size) };
    this.similar.features = take(Int8Array, told.similar.length * told.features);
    this.heat = told.heat && { ...told.heat };
    for (const stage of this.stages) this.parts.masks[stage.name].fill(1);
  }

  // The probabilities of each head for an image of uint8; they are overwritten by the next.
  answer(image) {
    this.parts.image.set(image);
    this.parts.answer();
    return this.parts.heads;
  }

  // Those of many images, one after the other, the heads side by side.
  answerAll(images) {
    const count = images.length / this.size;
    const found = new Float32Array(count * this.outputs);
    for (let number = 0, at = 0; number < count; number++) {
      const heads = this.answer(images.subarray(number * this.size, (number + 1) * this.size));
      for (const name in this.heads) {
        found.set(heads[name], at);
        at += heads[name].length;
      }
    }
    return found;
  }

  image(kept, number) {
    return kept.images.subarray(number * this.size, (number + 1) * this.size);
  }

  // The image that was answered last, as the net begins with it.
  normalized() {
    const [factor, shift] = this.normalization;
    return this.parts.image.map((value) => value * factor - shift);
  }

  // How many of the test images that are kept get the answer here that the net gave them when the page was made.
  agreeing() {
    const found = this.answerAll(this.tests.images);
    let same = 0;
    for (let number = 0; number < this.tests.labels.length; number++) {
      const part = (values) => values.subarray(number * this.outputs, (number + 1) * this.outputs);
      const mine = part(found), wanted = part(this.tests.probabilities);
      same += mine.every((value, at) => Math.abs(value - wanted[at]) < 1e-5);
    }
    return same;
  }

  // Where the net has looked for a class, of the image that was answered last: rows x columns from 0 to 1.
  looked(choice) {
    const { start, wanted, found, look } = this.parts.heat;
    start.set(this.heat.stage ? this.parts.stages[this.heat.stage] : this.normalized());
    wanted.fill(0)[choice] = 1;
    look();
    const most = found.reduce((best, value) => Math.max(best, value), 1e-30);
    return found.map((value) => Math.max(value, 0) / most);
  }

  // The training images that are most like the one that was answered last, by its last features.
  nearest(count) {
    const { labels, features } = this.similar;
    if (!labels.length) return [];
    const own = this.parts.stages[this.stages[this.stages.length - 1].name];
    const length = own.reduce((sum, value) => sum + value * value, 0);
    const found = labels.map((label, number) => {
      let both = 0, other = 0;
      for (let at = 0, from = number * own.length; at < own.length; at++, from++) {
        both += own[at] * features[from];
        other += features[from] * features[from];
      }
      return { number, label, likeness: both / Math.sqrt(length * other || 1) };
    });
    return found.sort((one, two) => two.likeness - one.likeness).slice(0, count);
  }
}

function openNets(told) {
  return Promise.all(told.map(async (each, number) => new Net(each, await unpacked(each.packed), engines[number])));
}
