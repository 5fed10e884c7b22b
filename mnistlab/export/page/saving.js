"use strict";
// Writes arrays as numpy reads them: an npz is a zip, not packed, of npy files.

// Text as numpy has it: as many letters of 32 bits for each.
function npyOfTexts(texts) {
  const most = Math.max(...texts.map((text) => [...text].length), 1), values = new Uint32Array(texts.length * most);
  texts.forEach((text, number) => [...text].forEach((letter, at) => (values[number * most + at] = letter.codePointAt(0))));
  return npy(new Uint8Array(values.buffer), [texts.length], `<U${most}`);
}

function npy(values, shape, kind = "|u1") {
  const said = `{'descr': '${kind}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const head = said.padEnd(Math.ceil((said.length + 11) / 64) * 64 - 11) + "\n"; // 10 bytes before it: 64 are a line
  const bytes = new Uint8Array(10 + head.length + values.length);
  bytes.set([0x93, ...[..."NUMPY"].map((letter) => letter.charCodeAt(0)), 1, 0, head.length & 255, head.length >> 8]);
  bytes.set(new TextEncoder().encode(head), 10);
  bytes.set(values, 10 + head.length);
  return bytes;
}

function checksum(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

// Of numbers of so many bytes, the lowest byte first.
function packedNumbers(...pairs) {
  return pairs.flatMap(([value, size]) => Array.from({ length: size }, (_, at) => (value >>> (8 * at)) & 255));
}

// Of npy files by name.
function npz(files) {
  const parts = [], directory = [];
  let at = 0;
  for (const [name, bytes] of Object.entries(files)) {
    const title = new TextEncoder().encode(`${name}.npy`);
    const told = packedNumbers([20, 2], [0, 2], [0, 2], [0, 2], [33, 2], [checksum(bytes), 4], [bytes.length, 4],
      [bytes.length, 4], [title.length, 2], [0, 2]);
    directory.push([...packedNumbers([0x02014b50, 4], [20, 2]), ...told,
      ...packedNumbers([0, 2], [0, 2], [0, 2], [0, 4], [at, 4]), ...title]);
    const head = [...packedNumbers([0x04034b50, 4]), ...told, ...title];
    parts.push(Uint8Array.from(head), bytes);
    at += head.length + bytes.length;
  }
  const listed = Uint8Array.from(directory.flat());
  const end = packedNumbers([0x06054b50, 4], [0, 2], [0, 2], [directory.length, 2], [directory.length, 2],
    [listed.length, 4], [at, 4], [0, 2]);
  return new Blob([...parts, listed, Uint8Array.from(end)], { type: "application/zip" });
}
