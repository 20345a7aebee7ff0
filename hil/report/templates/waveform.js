// SPDX-License-Identifier: Apache-2.0
// Draws every log twice, the whole of it and the view that the buttons select. A column of pixels is a band from the least to
// the greatest of its samples; where a sample is wider than a pixel, it is a step.
"use strict";
(() => {
  const FLOOR_A = 1e-8; // noise around zero has no place on a logarithmic axis
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const prefixed = (value, unit, digits = 4) => {
    if (!value) return `0 ${unit}`;
    const names = { "-9": "n", "-6": "µ", "-3": "m", 0: "", 3: "k", 6: "M" };
    const power = Math.max(-9, Math.min(6, 3 * Math.floor(Math.log10(Math.abs(value)) / 3 + 1e-9)));
    return `${Number((value / 10 ** power).toPrecision(digits))} ${names[power]}${unit}`;
  };

  class Plot {
    constructor(element, data, store, say) {
      Object.assign(this, { element, data, store, say });
      this.whole = { x0: 0, x1: data.samples * data.period_s };
      this.shown = this.whole;
      this.columns = null;
      element.tabIndex = 0;
      element.addEventListener("keydown", (event) => this.key(event));
      element.addEventListener("wheel", (event) => {
        if (!event.ctrlKey) return; // the page scrolls
        event.preventDefault();
        this.zoom(event.deltaY > 0 ? 1.5 : 1 / 1.5, this.plot.posToVal(event.clientX - this.plot.over.getBoundingClientRect().left, "x"));
      }, { passive: false });
      new ResizeObserver(() => this.plot && this.resize()).observe(element);
      this.build();
    }

    build() {
      if (this.plot) this.plot.destroy();
      const grid = () => colour("--line"), ink = () => colour("--ink");
      const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
      const none = () => null, narrow = this.element.clientWidth < 560;
      const series = (label) => ({ label, paths: none, points: { show: false }, stroke: ink, value: (_, value) => value == null ? "–" : prefixed(value, "A") });
      this.plot = new uPlot({
        width: this.element.clientWidth, height: this.element.clientHeight - 30,
        scales: { x: { time: false, auto: false }, y: { distr: 3, auto: false } },
        series: [{ label: "time", value: (_, value) => value == null ? "–" : `${value.toFixed(6)} s` }, series("least"), series("mean"), series("greatest")],
        axes: [
          { ...axis, label: narrow ? undefined : "time in s", labelSize: 18, size: 34, space: narrow ? 70 : 60, values: (_, ticks) => ticks.map((tick) => String(Number(tick.toPrecision(9)))) },
          { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => Math.abs(Math.log10(tick) % 1) < 1e-9 || Math.abs(Math.log10(tick) % 1) > 1 - 1e-9 ? prefixed(tick, "A") : "") },
        ],
        legend: { live: true },
        cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false } },
        hooks: {
          setSelect: [(plot) => {
            const { left, width } = plot.select;
            if (width < 3) return;
            this.show({ x0: plot.posToVal(left, "x"), x1: plot.posToVal(left + width, "x") });
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          }],
          drawClear: [(plot) => this.shade(plot)],
          draw: [(plot) => this.draw(plot)],
        },
      }, [[0], [null], [null], [null]], this.element);
      this.plot.over.addEventListener("dblclick", () => this.show(this.whole));
      return this.show(this.shown);
    }

    resize() {
      if (this.plot.width === this.element.clientWidth) return;
      this.plot.setSize({ width: this.element.clientWidth, height: this.element.clientHeight - 30 });
      this.show(this.shown);
    }

    key(event) {
      const by = (this.shown.x1 - this.shown.x0) / 5;
      const moves = { "+": () => this.zoom(0.5), "-": () => this.zoom(2), Home: () => this.show(this.whole),
        ArrowLeft: () => this.move(-by), ArrowRight: () => this.move(by) };
      if (!moves[event.key]) return;
      event.preventDefault();
      moves[event.key]();
    }

    zoom(factor, around = (this.shown.x0 + this.shown.x1) / 2) {
      const { x0, x1 } = this.shown;
      return this.show({ x0: around - (around - x0) * factor, x1: around + (x1 - around) * factor });
    }

    move(by) { return this.show({ x0: this.shown.x0 + by, x1: this.shown.x1 + by }); }

    // Shows a span, as far as there is something to show: a bucket is never wider than a pixel, so that a pulse is
    // never drawn wider than it is.
    async show(span) {
      const began = performance.now();
      const { period_s } = this.data, pixels = Math.max(100, Math.round(this.plot.bbox.width));
      let x0 = Math.max(span.x0, this.whole.x0 - 0.03 * this.whole.x1), x1 = Math.min(span.x1, this.whole.x1 * 1.03);
      if (x1 <= x0) return;
      const finest = () => this.store.finest(Math.min(this.data.samples - 1, Math.max(0, (x0 + x1) / 2 / period_s)));
      const pieces = this.store.pieces(Math.max(0, Math.floor(x0 / period_s)), Math.min(this.data.samples, Math.ceil(x1 / period_s)), (x1 - x0) / period_s / pixels);
      const longest = Math.max(1, ...pieces.map((piece) => piece.size));
      const least = longest > 1 ? longest * pixels * period_s : Math.min(8, this.data.samples) * period_s;
      this.limited = x1 - x0 < least * 0.999 && longest > 1 && finest() > 0;
      if (x1 - x0 < least) { const middle = (x0 + x1) / 2; x0 = middle - least / 2; x1 = middle + least / 2; }
      const turn = (this.turn = (this.turn || 0) + 1);
      const columns = await this.store.columns(x0 / period_s, x1 / period_s, pixels);
      if (turn !== this.turn) return; // a later one was asked for
      this.shown = { x0, x1 };
      this.columns = columns;
      const above = (value) => Math.max(value, FLOOR_A);
      const low = columns.least.reduce((least, value) => Math.min(least, above(value)), Infinity);
      const high = columns.greatest.reduce((most, value) => Math.max(most, above(value)), FLOOR_A);
      this.plot.batch(() => {
        this.plot.setData([columns.begin.map((begin, i) => (begin + columns.end[i]) / 2 * period_s), columns.least.map(above), columns.mean.map(above), columns.greatest.map(above)], false);
        this.plot.setScale("x", { min: x0, max: x1 });
        this.plot.setScale("y", { min: 10 ** Math.floor(Math.log10(low) - 0.05), max: 10 ** Math.ceil(Math.log10(high) + 0.05) });
      });
      this.say(this.scaleText(columns), this.limited);
      this.element.dataset.ms = (performance.now() - began).toFixed(1);
    }

    scaleText(columns) {
      const { period_s } = this.data;
      if (columns.column <= 1) return `1 sample = ${Number((1 / columns.column).toPrecision(2))} pixels (${prefixed(period_s, "s")})`;
      const samples = columns.column < 10 ? Number(columns.column.toPrecision(2)) : Math.round(columns.column);
      return `1 pixel = ${samples.toLocaleString("en")} samples (${prefixed(columns.column * period_s, "s", 3)}): a band from the least to the greatest of them`;
    }

    shade(plot) {
      const { left, top, width, height } = plot.bbox, { ctx } = plot;
      ctx.save();
      ctx.beginPath(); ctx.rect(left, top, width, height); ctx.clip();
      for (const band of this.data.bands) {
        if (!band.shaded || band.x1 < this.shown.x0 || band.x0 > this.shown.x1) continue;
        const x0 = plot.valToPos(band.x0, "x", true), x1 = plot.valToPos(band.x1, "x", true);
        ctx.globalAlpha = 0.16; ctx.fillStyle = band.colour;
        ctx.fillRect(x0, top, x1 - x0, height);
        const seen = Math.min(x1, left + width) - Math.max(x0, left);
        if (seen < 0.08 * width) continue; // too narrow for its name
        ctx.globalAlpha = 1; ctx.textAlign = "center"; ctx.font = `${13 * devicePixelRatio}px system-ui, sans-serif`;
        ctx.fillText(band.name, Math.max(x0, left) + seen / 2, top + height - 8 * devicePixelRatio);
      }
      ctx.restore();
    }

    draw(plot) {
      if (!this.columns) return;
      const { ctx, bbox } = plot, { begin, end, least, greatest } = this.columns, { period_s, bands } = this.data;
      const line = 1.6 * devicePixelRatio, x = (sample) => plot.valToPos(sample * period_s, "x", true);
      const y = (value) => plot.valToPos(Math.max(value, FLOOR_A), "y", true);
      ctx.save();
      ctx.beginPath(); ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height); ctx.clip();
      let band = 0;
      for (let i = 0; i < begin.length; i++) {
        const middle = (begin[i] + end[i]) / 2 * period_s;
        while (band < bands.length - 1 && bands[band].x1 <= middle) band++;
        ctx.fillStyle = bands.length && bands[band].x0 <= middle && middle < bands[band].x1 ? bands[band].colour : colour("--bar");
        const x0 = Math.floor(x(begin[i])), x1 = Math.max(x0 + 1, Math.floor(x(end[i])));
        let top = y(greatest[i]), bottom = y(least[i]);
        if (bottom - top < line) { const centre = (top + bottom) / 2; top = centre - line / 2; bottom = centre + line / 2; }
        ctx.fillRect(x0, top, x1 - x0, bottom - top);
        if (i && begin[i] === end[i - 1]) { // the step from the column before
          const from = y(least[i - 1]), to = y(greatest[i - 1]);
          if (to > bottom) ctx.fillRect(x0, bottom, 1, to - bottom);
          else if (from < top) ctx.fillRect(x0, from, 1, top - from);
        }
      }
      ctx.restore();
    }
  }

  const logs = [...document.querySelectorAll("section.log")].map((section) => {
    const data = JSON.parse(section.querySelector("script[type='application/json']").textContent);
    const store = LogStore.fromPage(data);
    const plots = [...section.querySelectorAll(".figure")].map((element) => {
      const told = element.nextElementSibling;
      const plot = new Plot(element, data, store, (text, limited) => {
        told.textContent = text + (limited && section.dataset.full !== "yes" ? ". Open the log's file to zoom further." : "");
      });
      plot.element.plot = plot;
      const view = data.views.find((each) => each.name === element.dataset.view);
      if (view) plot.show(view);
      return plot;
    });
    const detail = plots.at(-1);
    section.querySelector(".views").addEventListener("click", (event) => {
      const { view, act } = event.target.dataset;
      if (act) ({ in: () => detail.zoom(0.5), out: () => detail.zoom(2), left: () => detail.move((detail.shown.x0 - detail.shown.x1) / 3), right: () => detail.move((detail.shown.x1 - detail.shown.x0) / 3) })[act]();
      if (!view) return;
      detail.show(data.views.find((each) => each.name === view));
      section.querySelectorAll("button[data-view]").forEach((button) => button.setAttribute("aria-pressed", button === event.target));
    });
    const use = (full) => {
      if (full.samples !== data.samples) throw new Error(`that log has ${full.samples} samples, this one ${data.samples}`);
      section.dataset.full = "yes";
      section.querySelector(".source").textContent = "Every zoom shows the log's file.";
      for (const plot of plots) { plot.store = full; plot.show(plot.shown); }
    };
    const open = (blob) => LogStore.fromBlob(blob).then(use).catch((error) => {
      section.querySelector(".source").textContent = `${blob.name}: ${error.message}`;
    });
    const input = section.querySelector("input[type=file]");
    if (input) input.addEventListener("change", () => input.files.length && open(input.files[0]));
    if (location.protocol.startsWith("http")) LogStore.fromAddress(`waveforms/${encodeURIComponent(data.file)}`).then(use).catch(() => {});
    return { section, data, plots, open };
  });

  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    for (const file of event.dataTransfer.files) {
      const log = logs.find((each) => each.data.file === file.name) || logs.find((each) => each.section.contains(event.target));
      if (log) log.open(file);
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => logs.forEach((log) => log.plots.forEach((plot) => plot.build())));
})();
