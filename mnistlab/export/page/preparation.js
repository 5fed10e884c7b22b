"use strict";
// From a picture to images as MNIST has them: the functions of mnistlab/data/pictures.py and pieces.py, by their names,
// where each step is explained. Values are { height, width, data } with a Float64Array, row by row.

const SIDE = 28, BOX = 20;
const WORKED = 1600, COARSE = 96;
const STILL = 0.2, DRAWN = 0.05, TAKEN = 0.2;
const ROUNDS = 10, FITS = 8, STROKE = 0.3;
const FAINT = 14, NOISES = 5;
const TOUCHED = 0.2, SURE = 0.5;
const GROUND = 0.05, FRINGE = 0.08, HALF = 0.5 + 1e-6, EDGE = 2;
const SMALL = 6, DUST = 0.2, MAIN = 0.5, NEAR = 0.3, BROKEN = 0.15, MEETING = 0.2, LAP = 0.5, ALONG = 0.6, SAME_LINE = 0.4;

function grid(height, width, data) {
  return { height, width, data: data || new Float64Array(height * width) };
}

// For few values: where there are as many as in a picture, a loop that stands where it is needed is several times faster.
function mapped({ height, width, data }, change) {
  return grid(height, width, data.map(change));
}

function transposed({ height, width, data }) {
  const turned = grid(width, height);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) turned.data[column * height + row] = data[row * width + column];
  return turned;
}

// To the nearest whole number, from the middle to the even one, as Python's round.
function rounded(value) {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}

function median(values) {
  const kept = Float64Array.from(values), middle = kept.length >> 1;
  const upper = selected(kept, middle);
  return kept.length % 2 ? upper : (most(kept.subarray(0, middle)) + upper) / 2;
}

// How far half of the values are away from one.
function apart(values, middle) {
  const found = values.slice();
  for (let at = 0; at < found.length; at++) found[at] = Math.abs(found[at] - middle);
  return median(found);
}

// The value that would stand at a place if all were in order; smaller ones stand before it then (Hoare's selection).
function selected(values, place) {
  for (let low = 0, high = values.length - 1; low < high; ) {
    const pivot = values[(low + high) >> 1];
    let up = low, down = high;
    while (up <= down) {
      while (values[up] < pivot) up++;
      while (values[down] > pivot) down--;
      if (up > down) break;
      const kept = values[up];
      values[up++] = values[down];
      values[down--] = kept;
    }
    if (place <= down) high = down;
    else if (place >= up) low = up;
    else break;
  }
  return values[place];
}

function most(values) {
  let best = -Infinity;
  for (let at = 0; at < values.length; at++) if (values[at] > best) best = values[at];
  return best;
}

// RGBA, as a canvas gives it, upon white.
function grey({ width, height, data }) {
  const values = grid(height, width);
  for (let at = 0; at < values.data.length; at++) {
    const red = coloured(data, at, 0), green = coloured(data, at, 1), blue = coloured(data, at, 2);
    values.data[at] = red === green && green === blue ? red : 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  const longer = Math.max(width, height);
  return longer > WORKED ? resized(values, scaled(values, WORKED / longer)) : values;
}

function coloured(data, at, part) {
  const alpha = data[4 * at + 3];
  return alpha === 255 ? data[4 * at + part] : Math.round(255 - (255 - data[4 * at + part]) * (alpha / 255));
}

function resized(values, [height, width]) {
  return transposed(along(transposed(along(values, height)), width));
}

function along(values, size) {
  const { height: old, width, data } = values;
  if (size === old) return values;
  if (size > old) return between(values, Float64Array.from({ length: size }, (_, at) => (at + 0.5) * (old / size) - 0.5));
  const sums = grid(old + 1, width);
  for (let at = 0; at < data.length; at++) sums.data[at + width] = sums.data[at] + data[at];
  const ends = between(sums, Float64Array.from({ length: size + 1 }, (_, at) => at * (old / size)));
  const found = grid(size, width);
  for (let at = 0; at < found.data.length; at++) found.data[at] = (ends.data[at + width] - ends.data[at]) * (size / old);
  return found;
}

function between({ height, width, data }, places) {
  const found = grid(places.length, width);
  places.forEach((place, row) => {
    const inside = Math.min(Math.max(place, 0), height - 1);
    const below = Math.min(Math.floor(inside), Math.max(height - 2, 0)), above = Math.min(below + 1, height - 1);
    const part = inside - below;
    for (let column = 0; column < width; column++)
      found.data[row * width + column] = data[below * width + column] * (1 - part) + data[above * width + column] * part;
  });
  return found;
}

function scaled({ height, width }, scale) {
  return [Math.max(1, rounded(height * scale)), Math.max(1, rounded(width * scale))];
}

function inkIn(values) {
  const drawn = isDrawn(values);
  const ink = raisedIn(unlit(values, drawn)), { data } = ink;
  const paper = median(data), noise = 1.4826 * apart(data, paper);
  for (let at = 0; at < data.length; at++) data[at] -= paper;
  const soft = blurred(ink, 3).data;
  let level = Math.max(most(soft), 0);
  for (let round = 0, before = -1; round < ROUNDS && level !== before; round++) {
    let sum = 0, count = 0;
    for (let at = 0; at < data.length; at++) {
      if (data[at] < level / 2 || soft[at] < level / 4) continue;
      sum += data[at];
      count++;
    }
    before = level;
    level = count ? sum / count : 0;
  }
  if (level < Math.max(FAINT, NOISES * noise)) return grid(values.height, values.width);
  const floor = (drawn ? DRAWN : TAKEN) * level;
  for (let at = 0; at < data.length; at++) data[at] = Math.min(Math.max((data[at] - floor) / (level - floor), 0), 1);
  return ink;
}

function coarse(values) {
  return resized(values, scaled(values, Math.min(1, COARSE / Math.max(values.height, values.width))));
}

function unlit(values, drawn) {
  const light = drawn ? median(values.data) : lightOf(values).data;
  const differences = grid(values.height, values.width), { data } = differences;
  for (let at = 0; at < data.length; at++) data[at] = values.data[at] - (drawn ? light : light[at]);
  const cubes = coarse(differences).data.reduce((sum, value) => sum + value * value * value, 0);
  if (cubes > 0) for (let at = 0; at < data.length; at++) data[at] = -data[at];
  return differences;
}

function isDrawn(values) {
  return apart(values.data, median(values.data)) <= STILL;
}

function lightOf(values) {
  const small = coarse(values), middle = median(small.data);
  const terms = surfaces(small);
  let weights = new Float64Array(6), differences = small.data.map((value) => value - middle);
  for (let fit = 0; fit < FITS; fit++) {
    const left = terms.map((one, row) => [...terms.map((other, column) => {
      let sum = row === column ? 1e-6 : 0;
      for (let at = 0; at < one.length; at++) sum += (one[at] * other[at]) / (Math.abs(differences[at]) + 1);
      return sum;
    }), one.reduce((sum, value, at) => sum + (value * small.data[at]) / (Math.abs(differences[at]) + 1), 0)]);
    weights = solved(left);
    differences = small.data.map((value, at) => value - terms.reduce((sum, term, number) => sum + weights[number] * term[at], 0));
  }
  const whole = surfaces(values);
  return mapped(values, (_, at) => whole.reduce((sum, term, number) => sum + weights[number] * term[at], 0));
}

// 1, x, y, xx, xy and yy for each pixel, x and y from -1 to 1.
function surfaces({ height, width }) {
  const terms = Array.from({ length: 6 }, () => new Float64Array(height * width));
  for (let row = 0, at = 0; row < height; row++)
    for (let column = 0; column < width; column++, at++) {
      const down = (row + 0.5) * (2 / height) - 1, right = (column + 0.5) * (2 / width) - 1;
      [1, right, down, right * right, right * down, down * down].forEach((value, number) => (terms[number][at] = value));
    }
  return terms;
}

// Of rows of a matrix with the right side behind them, by elimination.
function solved(rows) {
  const size = rows.length;
  for (let at = 0; at < size; at++) {
    let best = at;
    for (let row = at + 1; row < size; row++) if (Math.abs(rows[row][at]) > Math.abs(rows[best][at])) best = row;
    [rows[at], rows[best]] = [rows[best], rows[at]];
    for (let row = 0; row < size; row++) {
      if (row === at) continue;
      const factor = rows[row][at] / rows[at][at];
      for (let column = at; column <= size; column++) rows[row][column] -= factor * rows[at][column];
    }
  }
  return rows.map((row, at) => row[size] / row[at]);
}

function raisedIn(values) {
  const small = coarse(values);
  const width = Math.max(3, Math.floor(STROKE * Math.min(small.height, small.width)));
  const closed = mapped(largestAround(mapped(largestAround(small, width), (value) => -value), width), (value) => -value);
  const paper = resized(blurred(closed, width >> 1), [values.height, values.width]);
  for (let at = 0; at < paper.data.length; at++) paper.data[at] = Math.max(paper.data[at] - values.data[at], 0);
  return paper;
}

// The largest values of the rows around each one: of two rows, of four and so on, until the next would be too many.
function largestDown({ height, width, data }, half) {
  const values = new Float64Array((height + half) * width), last = height + half - 1;
  for (let row = 0; row <= last; row++)
    values.set(data.subarray(Math.max(row - half, 0) * width, (Math.max(row - half, 0) + 1) * width), row * width);
  const join = (step) => {
    for (let row = 0, at = 0; row <= last; row++)
      for (let from = Math.min(row + step, last) * width, end = from + width; from < end; from++, at++)
        if (values[from] > values[at]) values[at] = values[from];
  };
  let reach = 1;
  for (; 2 * reach <= 2 * half + 1; reach *= 2) join(reach);
  join(2 * half + 1 - reach);
  return grid(height, width, values.subarray(0, height * width));
}

// The means of the rows around each one, as at the edge beyond it: the next comes in, and the first goes out.
function meansDown({ height, width, data }, half) {
  const found = grid(height, width).data, sum = new Float64Array(width);
  const add = (row, sign) => {
    for (let at = 0, from = Math.min(Math.max(row, 0), height - 1) * width; at < width; at++, from++) sum[at] += sign * data[from];
  };
  for (let row = -half; row < half; row++) add(row, 1);
  for (let row = 0; row < height; row++) {
    add(row + half, 1);
    for (let at = 0, to = row * width; at < width; at++, to++) found[to] = sum[at] / (2 * half + 1);
    add(row - half, -1);
  }
  return grid(height, width, found);
}

function around(values, half, down) {
  return transposed(down(transposed(down(values, half)), half));
}

function largestAround(values, width) {
  return around(values, width >> 1, largestDown);
}

function blurred(values, width) {
  return around(values, width >> 1, meansDown);
}

function cut(ink) {
  const { numbers, count } = numbered(ink);
  const strongest = new Float64Array(count + 1);
  for (let at = 0; at < numbers.length; at++) if (ink.data[at] > strongest[numbers[at]]) strongest[numbers[at]] = ink.data[at];
  const order = new Int32Array(count + 1);
  let sure = 0;
  for (let number = 1; number <= count; number++) if (strongest[number] >= SURE) order[number] = ++sure;
  for (let at = 0; at < numbers.length; at++) numbers[at] = order[numbers[at]];
  return signs(numbers, ink.width, ink.height, sure).map((group) => signOf(ink, numbers, group.box, group.pieces));
}

function signOf(ink, numbers, box, pieces) {
  const top = Math.max(box.top - EDGE, 0), left = Math.max(box.left - EDGE, 0);
  const bottom = Math.min(box.bottom + EDGE, ink.height), right = Math.min(box.right + EDGE, ink.width);
  const own = grid(bottom - top, right - left), kept = grid(bottom - top, right - left);
  const each = (what) => {
    for (let row = top, at = 0; row < bottom; row++)
      for (let column = left; column < right; column++, at++) what(at, row * ink.width + column);
  };
  each((at, place) => (own.data[at] = pieces.has(numbers[place]) ? 1 : 0));
  const near = largestAround(own, 2 * EDGE + 1);
  each((at, place) => (kept.data[at] = near.data[at] > 0 ? ink.data[place] : 0));
  const inner = boundsOf(kept, (value) => value >= FRINGE);
  return { box: shifted(inner, left, top), ink: part(kept, inner) };
}

function boundsOf({ width, data }, isIn) {
  const box = { left: Infinity, top: Infinity, right: 0, bottom: 0 };
  data.forEach((value, at) => {
    if (!isIn(value)) return;
    const row = Math.floor(at / width), column = at % width;
    box.left = Math.min(box.left, column);
    box.right = Math.max(box.right, column + 1);
    box.top = Math.min(box.top, row);
    box.bottom = Math.max(box.bottom, row + 1);
  });
  return box;
}

function shifted(box, left, top) {
  return { left: box.left + left, top: box.top + top, right: box.right + left, bottom: box.bottom + top };
}

function part(values, box) {
  const found = grid(box.bottom - box.top, box.right - box.left);
  for (let row = 0; row < found.height; row++) {
    const from = (row + box.top) * values.width + box.left;
    found.data.set(values.data.subarray(from, from + found.width), row * found.width);
  }
  return found;
}

function framed(ink, box = BOX, byMass = true) {
  const fitted = resized(ink, scaled(ink, box / Math.max(ink.height, ink.width)));
  const strongest = Math.max(most(fitted.data), 1e-9);
  const light = mapped(fitted, (value) => value / strongest);
  return laid(mapped(light, (value) => value * 255), place(light, 0, byMass), place(light, 1, byMass));
}

function laid(values, top, left) {
  const image = new Uint8Array(SIDE * SIDE);
  for (let row = 0; row < values.height; row++)
    for (let column = 0; column < values.width; column++)
      image[(row + top) * SIDE + column + left] = wholeNumber(values.data[row * values.width + column]);
  return image;
}

// Where rows (axis 0) or columns (axis 1) begin in the image.
function place({ height, width, data }, axis, byMass) {
  const size = axis ? width : height, sums = new Float64Array(size);
  data.forEach((value, at) => (sums[axis ? at % width : Math.floor(at / width)] += value));
  const mass = sums.reduce((sum, value) => sum + value, 0);
  const middle = byMass ? sums.reduce((sum, value, at) => sum + value * at, 0) / Math.max(mass, 1e-9) : size / 2;
  return Math.min(Math.max(Math.floor(SIDE / 2 - middle + HALF), 0), SIDE - size);
}

function wholeNumber(value) {
  return Math.floor(Math.min(Math.max(value, 0), 255) + 0.5);
}

// Each of these takes RGBA and gives images with the box of the picture that each shows.
function handwriting(picture, box = BOX, byMass = true) {
  const values = grey(picture);
  const scale = Math.max(picture.width, picture.height) / Math.max(values.width, values.height);
  return cut(inkIn(values)).map((sign) => ({ image: framed(sign.ink, box, byMass), box: enlarged(sign.box, scale) }));
}

function enlarged(box, scale) {
  return Object.fromEntries(Object.entries(box).map(([side, value]) => [side, rounded(value * scale)]));
}

function character(picture) {
  const values = grey(picture);
  const scale = Math.max(picture.width, picture.height) / Math.max(values.width, values.height);
  const ink = inkIn(values);
  const boxes = cut(ink).map((sign) => sign.box);
  if (!boxes.length) return [];
  const box = boxes.reduce(joined);
  return [{ image: framed(part(ink, box), SIDE, false), box: enlarged(box, scale) }];
}

function trimmed(picture) {
  const values = grey(picture), { height, width, data } = values;
  const ground = median([data[0], data[width - 1], data[(height - 1) * width], data[height * width - 1]]);
  let box = boundsOf(values, (value) => Math.abs(value - ground) > GROUND * 255);
  if (!box.right) box = { left: 0, top: 0, right: width, bottom: height };
  const light = mapped(part(values, box), (value) => (ground > 255 / 2 ? 255 - value : value));
  const fitted = resized(light, scaled(light, SIDE / Math.max(light.height, light.width)));
  const scale = Math.max(picture.width, picture.height) / Math.max(width, height);
  return [{ image: laid(fitted, place(fitted, 0, false), place(fitted, 1, false)), box: enlarged(box, scale) }];
}

function whole(picture, [channels, height, width]) {
  const image = new Uint8Array(channels * height * width);
  for (let channel = 0; channel < channels; channel++) {
    const plane = planeOf(picture, channel, channels);
    const size = scaled(plane, Math.min(height / plane.height, width / plane.width));
    const fitted = resized(plane, size), top = (height - size[0]) >> 1, left = (width - size[1]) >> 1;
    const edge = plane.data.filter((_, at) => {
      const row = Math.floor(at / plane.width), column = at % plane.width;
      return row === 0 || column === 0 || row === plane.height - 1 || column === plane.width - 1;
    });
    const target = image.subarray(channel * height * width, (channel + 1) * height * width);
    target.fill(wholeNumber(median(edge)));
    for (let row = 0; row < size[0]; row++)
      for (let column = 0; column < size[1]; column++)
        target[(row + top) * width + column + left] = wholeNumber(fitted.data[row * size[1] + column]);
  }
  return [{ image, box: { left: 0, top: 0, right: picture.width, bottom: picture.height } }];
}

// The whole picture in another shape, as Pillow resizes it: across, then down, in whole levels each time.
function stretched(picture, [channels, height, width]) {
  const image = new Uint8Array(channels * height * width);
  for (let channel = 0; channel < channels; channel++) {
    const across = transposed(smoothed(transposed(planeOf(picture, channel, channels)), width));
    image.set(smoothed(across, height).data, channel * height * width);
  }
  return [{ image, box: { left: 0, top: 0, right: picture.width, bottom: picture.height } }];
}

// Each new row the mean of those around its place, the less the further away they are.
function smoothed({ height, width, data }, size) {
  if (size === height) return { height, width, data };
  const scale = height / size, support = Math.max(scale, 1), found = grid(size, width);
  for (let row = 0; row < size; row++) {
    const middle = (row + 0.5) * scale, target = found.data.subarray(row * width, (row + 1) * width);
    let all = 0;
    for (let from = Math.max(Math.floor(middle - support + 0.5), 0); from < Math.min(Math.floor(middle + support + 0.5), height); from++) {
      const weight = Math.max(1 - Math.abs(from + 0.5 - middle) / support, 0);
      all += weight;
      for (let column = 0; column < width; column++) target[column] += weight * data[from * width + column];
    }
    for (let column = 0; column < width; column++) target[column] = wholeNumber(target[column] / all);
  }
  return found;
}

function planeOf(picture, channel, channels) {
  const { height, width, data } = picture;
  return channels === 1 ? lightness(picture)
    : grid(height, width, Float64Array.from({ length: width * height }, (_, at) => coloured(data, at, channel)));
}

// In whole levels, as Pillow turns colour to grey.
function lightness({ width, height, data }) {
  return grid(height, width, Float64Array.from({ length: width * height }, (_, at) =>
    (coloured(data, at, 0) * 19595 + coloured(data, at, 1) * 38470 + coloured(data, at, 2) * 7471 + 0x8000) >> 16));
}

// What a net is to see of a picture: { way, box, byMass } as its data have it.
function prepared(picture, { way, box, byMass }, shape) {
  if (way === "handwriting") return handwriting(picture, box, byMass);
  if (way === "character") return character(picture);
  if (way === "trimmed") return trimmed(picture);
  return way === "stretched" ? stretched(picture, shape) : whole(picture, shape);
}

// pieces.py from here on.

function numbered({ height, width, data }) {
  const numbers = new Int32Array(data.length), same = [0];
  const root = (number) => {
    while (same[number] !== number) number = same[number];
    return number;
  };
  let above = [];
  for (let row = 0; row < height; row++) {
    const runs = [];
    let first = 0;
    for (let column = 0; column < width; column++) {
      if (!(data[row * width + column] >= TOUCHED)) continue;
      const begin = column;
      while (column < width && data[row * width + column] >= TOUCHED) column++;
      while (first < above.length && above[first].end < begin) first++;
      let number = 0;
      for (let at = first; at < above.length && above[at].begin <= column; at++) {
        const other = root(above[at].number);
        if (number) {
          same[Math.max(number, other)] = Math.min(number, other);
          number = Math.min(number, other);
        } else number = other;
      }
      if (!number) same.push((number = same.length));
      numbers.fill(number, row * width + begin, row * width + column);
      runs.push({ begin, end: column, number });
    }
    above = runs;
  }
  const roots = same.map((_, number) => root(number));
  const order = new Int32Array(same.length);
  let count = -1; // 0 is outside
  for (let number = 0; number < same.length; number++) order[number] = roots[number] === number ? ++count : order[roots[number]];
  for (let at = 0; at < numbers.length; at++) numbers[at] = order[numbers[at]];
  return { numbers, count };
}

const wide = (box) => box.right - box.left;
const high = (box) => box.bottom - box.top;
const sized = (box) => Math.max(high(box), wide(box) / 2);

function joined(one, other) {
  return {
    left: Math.min(one.left, other.left), top: Math.min(one.top, other.top),
    right: Math.max(one.right, other.right), bottom: Math.max(one.bottom, other.bottom),
  };
}

function joinedGroups(one, other) {
  return { box: joined(one.box, other.box), pieces: new Set([...one.pieces, ...other.pieces]) };
}

function boxes(numbers, width, count) {
  const found = Array.from({ length: count }, () => ({ left: Infinity, top: Infinity, right: 0, bottom: 0 }));
  for (let at = 0; at < numbers.length; at++) {
    if (!numbers[at]) continue;
    const box = found[numbers[at] - 1], row = Math.floor(at / width), column = at % width;
    if (column < box.left) box.left = column;
    if (column >= box.right) box.right = column + 1;
    if (row < box.top) box.top = row;
    if (row >= box.bottom) box.bottom = row + 1;
  }
  return found;
}

function signs(numbers, width, height, count) {
  const alone = boxes(numbers, width, count).map((box, at) => ({ box, pieces: new Set([at + 1]) }));
  const inside = alone.filter((group) => !followsEdge(numbers, width, height, group));
  const pieces = inside.some((group) => sized(group.box) >= SMALL) ? inside : alone;
  if (!pieces.length) return [];
  const largestSize = Math.max(...pieces.map((group) => sized(group.box)));
  const usual = median(pieces.map((group) => sized(group.box)).filter((size) => size >= MAIN * largestSize));
  const main = mended(pieces.filter((group) => sized(group.box) >= MAIN * usual), usual);
  const small = [];
  const rest = pieces.filter((group) => sized(group.box) < MAIN * usual).sort((one, two) => sized(two.box) - sized(one.box));
  for (const group of rest) {
    const gaps = main.map((each) => gap(each.box, group.box)), near = gaps.indexOf(Math.min(...gaps));
    if (gaps[near] <= NEAR * usual) main[near] = joinedGroups(main[near], group);
    else if (sized(group.box) >= DUST * usual) small.push(group);
  }
  return lines([...main, ...small].filter(({ box }) => Math.max(wide(box), high(box)) >= SMALL)).flat();
}

function followsEdge(numbers, width, height, { box, pieces }) {
  const [number] = pieces;
  const count = (size, at) => {
    let sum = 0;
    for (let step = 0; step < size; step++) sum += numbers[at(step)] === number;
    return sum;
  };
  const sides = [
    [count(width, (at) => at), wide(box)], [count(width, (at) => (height - 1) * width + at), wide(box)],
    [count(height, (at) => at * width), high(box)], [count(height, (at) => at * width + width - 1), high(box)],
  ];
  return sides.some(([touching, length]) => touching >= ALONG * length);
}

function gap(one, other) {
  const across = Math.max(one.left, other.left) - Math.min(one.right, other.right);
  const down = Math.max(one.top, other.top) - Math.min(one.bottom, other.bottom);
  return Math.max(across, down, 0);
}

function mended(groups, usual) {
  const found = [];
  for (const group of [...groups].sort((one, two) => one.box.top - two.box.top)) {
    const at = found.findIndex((other) => isBelow(group.box, other.box, usual));
    if (at < 0) found.push(group);
    else found[at] = joinedGroups(found[at], group);
  }
  return found;
}

function isBelow(lower, upper, usual) {
  const shared = (Math.min(lower.right, upper.right) - Math.max(lower.left, upper.left)) / Math.min(wide(lower), wide(upper));
  const apart = lower.top - upper.bottom;
  if (lower.bottom <= upper.bottom + BROKEN * usual) return shared >= ALONG;
  return shared >= MEETING && -LAP * Math.min(high(lower), high(upper)) <= apart && apart <= BROKEN * usual;
}

function lines(groups) {
  const found = [];
  for (const group of [...groups].sort((one, two) => one.box.left - two.box.left)) {
    const shared = found.map((line) => beside(line[line.length - 1].box, group.box));
    const best = Math.max(...shared);
    if (best >= SAME_LINE) found[shared.indexOf(best)].push(group);
    else found.push([group]);
  }
  const middle = (line) => line.reduce((sum, { box }) => sum + box.top + box.bottom, 0) / line.length;
  return found.sort((one, two) => middle(one) - middle(two));
}

function beside(one, other) {
  return (Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top)) / Math.min(high(one), high(other));
}
