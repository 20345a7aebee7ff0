// SPDX-License-Identifier: Apache-2.0
// Tells of the columns around a spike at each zoom, from the page's data and from the file, whole and cut off.
const fs = require("fs");
eval(fs.readFileSync(process.argv[2], "utf-8").replace("const LogStore =", "globalThis.LogStore ="));
const [page, path, spike, pixels] = [JSON.parse(fs.readFileSync(process.argv[3], "utf-8")), process.argv[4], +process.argv[5], 1000];
(async () => {
  const told = [];
  const bytes = fs.readFileSync(path);
  for (const [name, store] of [["page", LogStore.fromPage(page)], ["file", await LogStore.fromBlob(new Blob([bytes]))], ["cut", await LogStore.fromBlob(new Blob([bytes.subarray(0, bytes.length - 17)]))]]) {
    for (let span = store.samples; span > 8; span = Math.floor(span / 3)) {
      const a = Math.max(0, Math.floor(spike - span * 0.37)), b = Math.min(store.samples, a + span);
      const columns = await store.columns(a, b, pixels);
      const column = Math.max(1, (b - a) / pixels);
      const above = columns.greatest.map((value, i) => [value > 0.25, columns.begin[i], columns.end[i]]).filter(([high]) => high);
      told.push({ name, span: b - a, samples: store.samples, size: columns.size, column,
        wide: above.reduce((sum, [, begin, end]) => sum + end - begin, 0) / column, holds: above.some(([, begin, end]) => begin <= spike && spike < end),
        first: columns.begin[0] <= a, last: columns.end.at(-1) >= b });
    }
  }
  console.log(JSON.stringify(told));
})();
