// Runs the net of a page that mnistlab wrote, in node: `node node.js net.html`. Standard input gives a count of images
// (4 bytes, the lowest first) and their bytes, again and again; standard output gets their probabilities as float32.
"use strict";
const fs = require("fs");
const vm = require("vm");

const page = fs.readFileSync(process.argv[2], "utf8");
for (const [, script] of page.matchAll(/<script class="engine">(.*?)<\/script>/gs)) vm.runInThisContext(script);
const told = [...page.matchAll(/<script type="application\/json" class="net">(.*?)<\/script>/gs)].map((each) => JSON.parse(each[1]));

function read(size) {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    const some = fs.readSync(0, bytes, at, size - at, null);
    if (!some) process.exit(0);
    at += some;
  }
  return bytes;
}

vm.runInThisContext("openNets")(told).then(([net]) => {
  for (;;) {
    const probabilities = net.answerAll(read(read(4).readUInt32LE(0) * net.size));
    const bytes = Buffer.from(probabilities.buffer);
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(1, bytes, at);
  }
});
