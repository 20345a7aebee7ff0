// SPDX-License-Identifier: Apache-2.0
// Rows of least, greatest and mean from a log: from what the page holds of it, or from the file (hil/results/log_file.py).
"use strict";
const LogStore = (() => {
  const HEAD = 24, FIRST = 256, FACTOR = 16;
  const sizeOf = (level) => (level === 0 ? 1 : FIRST * FACTOR ** (level - 1));

  async function inflate(bytes, format) {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // The numbers that log_codec.pack has made into bytes: upper halves deflated, lower halves as they are.
  async function unpack(bytes, count) {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const upper = await inflate(bytes.subarray(4, 4 + length), "deflate-raw");
    const lower = bytes.subarray(4 + length);
    const halves = new Uint8Array(4 * count);
    for (let i = 0; i < count; i++) {
      halves[4 * i] = lower[2 * i]; halves[4 * i + 1] = lower[2 * i + 1];
      halves[4 * i + 2] = upper[2 * i]; halves[4 * i + 3] = upper[2 * i + 1];
    }
    return new Float32Array(halves.buffer);
  }

  function rowsOf(values, size, count) {
    if (size === 1) return { least: values, greatest: values, mean: values };
    return { least: values.subarray(0, count), greatest: values.subarray(count, 2 * count), mean: values.subarray(2 * count) };
  }

  class Store {
    constructor(samples, blocks) {
      this.samples = samples;
      this.blocks = blocks.sort((a, b) => a.first - b.first); // first: a sample's number
      this.sizes = [...new Set(blocks.map((block) => block.size))].sort((a, b) => a - b);
      this.cache = new Map();
    }

    async rows(block) {
      let rows = this.cache.get(block);
      if (!rows) {
        rows = await block.load();
        if (this.cache.size > 64) this.cache.delete(this.cache.keys().next().value);
        this.cache.set(block, rows);
      }
      return rows;
    }

    // Blocks of a size that hold [a, b) without a gap, or as far as they go from a on; to: where that ends.
    cover(size, a, b) {
      const found = [];
      let at = a;
      for (const block of this.blocks) {
        const end = Math.min(this.samples, block.first + block.count * size);
        if (block.size !== size || end <= at) continue;
        if (block.first > at || at >= b) break;
        found.push(block);
        at = end;
      }
      return { size, found, to: Math.min(at, b) };
    }

    // The pieces that show [a, b): of the longest buckets that are no longer than a column, else of what there is.
    pieces(a, b, column) {
      const fine = this.sizes.filter((size) => size <= Math.max(1, column)).reverse();
      const pieces = [];
      let at = a;
      for (const size of fine) {
        if (at >= b || (size === 1 && (b - at) > 4e6 && this.sizes.length > 1)) break;
        const piece = this.cover(size, at, b);
        if (piece.to > at) { pieces.push({ ...piece, from: at }); at = piece.to; }
      }
      if (at >= b) return pieces;
      for (const size of this.sizes.filter((each) => each > column)) {
        const piece = this.cover(size, a, b);
        if (piece.to >= b) return [{ ...piece, from: a }];
      }
      return pieces;
    }

    // The least number of samples that one of `pixels` columns can stand for around sample `at`.
    finest(at) {
      return this.sizes.find((size) => this.cover(size, Math.max(0, Math.floor(at)), Math.floor(at) + 1).found.length) || 1;
    }

    // Columns of [a, b): begin and end in samples, least, greatest and mean. size: samples of the longest bucket.
    async columns(a, b, count) {
      a = Math.max(0, Math.floor(a)); b = Math.min(this.samples, Math.ceil(b));
      const column = (b - a) / count;
      const out = { begin: [], end: [], least: [], greatest: [], mean: [], size: 1, column };
      const grid = column > 1;
      let last = -1, weight = 0;
      for (const piece of this.pieces(a, b, column)) {
        out.size = Math.max(out.size, piece.size);
        await Promise.all(piece.found.map((block) => this.rows(block)));
        for (const block of piece.found) {
          const rows = await this.rows(block);
          const from = Math.max(0, Math.floor((piece.from - block.first) / piece.size));
          const to = Math.min(block.count, Math.ceil((piece.to - block.first) / piece.size));
          for (let i = from; i < to; i++) {
            const begin = block.first + i * piece.size, end = Math.min(this.samples, begin + piece.size);
            const own = grid && piece.size <= column ? Math.floor(((begin + end) / 2 - a) / column) : last + 1;
            const n = end - begin;
            if (own !== last || !out.begin.length) {
              last = own; weight = n;
              out.begin.push(begin); out.end.push(end);
              out.least.push(rows.least[i]); out.greatest.push(rows.greatest[i]); out.mean.push(rows.mean[i]);
            } else {
              const k = out.begin.length - 1;
              out.end[k] = end;
              if (rows.least[i] < out.least[k]) out.least[k] = rows.least[i];
              if (rows.greatest[i] > out.greatest[k]) out.greatest[k] = rows.greatest[i];
              out.mean[k] += (rows.mean[i] - out.mean[k]) * (n / (weight += n));
            }
          }
        }
      }
      return out;
    }
  }

  // From what the page holds.
  function fromPage(data) {
    return new Store(data.samples, data.blocks.map((block) => ({
      size: block.size, first: block.first, count: block.count,
      load: async () => {
        const bytes = Uint8Array.from(atob(block.data), (letter) => letter.charCodeAt(0));
        return rowsOf(await unpack(bytes, (block.size === 1 ? 1 : 3) * block.count), block.size, block.count);
      },
    })));
  }

  // From a file of `size` bytes; read(offset, length) gives a promise of bytes.
  async function fromFile(size, read) {
    const text = (bytes) => String.fromCharCode(...bytes);
    if (text(await read(0, 8)) !== "HILLOG1\n") throw new Error("this is no log of hil-rig");
    const number = (view, at) => Number(view.getBigUint64(at, true));
    const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const rows = [];
    const tail = await read(size - 16, 16);
    let end = size;
    if (text(tail.subarray(8)) === "HILLOGIX") {
      end = number(viewOf(tail), 0);
      const record = await read(end, size - 16 - end);
      const index = viewOf(await inflate(record.subarray(HEAD), "deflate"));
      for (let at = 0; at < index.byteLength; at += 24) {
        rows.push({ level: index.getUint32(at, true), count: index.getUint32(at + 4, true), first: number(index, at + 8), offset: number(index, at + 16) });
      }
    } else { // nobody closed it: its records are found by their heads
      for (let at = 8; at + HEAD <= size;) {
        const head = viewOf(await read(at, HEAD)), kind = head.getUint8(0);
        const next = at + HEAD + head.getUint32(16, true);
        if (next > size) break;
        if (kind === 83 || kind === 80) rows.push({ level: head.getUint8(1), count: head.getUint32(12, true), first: number(head, 4), offset: at });
        at = next;
      }
    }
    let samples = 0;
    const blocks = rows.map(({ level, count, first, offset }) => {
      if (level === 0) samples = Math.max(samples, first + count);
      const own = sizeOf(level);
      return { size: own, first: first * own, count, load: async () => {
        const head = viewOf(await read(offset, HEAD));
        const bytes = await read(offset + HEAD, head.getUint32(16, true));
        return rowsOf(await unpack(bytes, (level === 0 ? 1 : 3) * count), own, count);
      } };
    });
    return new Store(samples, blocks);
  }

  const fromBlob = (blob) => fromFile(blob.size, async (offset, length) =>
    new Uint8Array(await blob.slice(Math.max(0, offset), offset + length).arrayBuffer()));

  async function fromAddress(address) {
    const range = async (offset, length) => {
      const answer = await fetch(address, { headers: { Range: `bytes=${offset}-${offset + length - 1}` } });
      if (answer.status !== 206) throw new Error(`${address}: ${answer.status}`);
      return answer;
    };
    const first = await range(0, 8);
    const size = Number(first.headers.get("Content-Range").split("/")[1]);
    return fromFile(size, async (offset, length) => new Uint8Array(await (await range(Math.max(0, offset), length)).arrayBuffer()));
  }

  return { fromPage, fromBlob, fromAddress };
})();
