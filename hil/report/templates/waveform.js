// SPDX-License-Identifier: Apache-2.0
// Draws every waveform twice, the whole log and the view that the buttons select, and the tables' bar charts.
"use strict";
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const view = (data, name) => data.views.find((item) => item.name === name);

  const decades = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1];
  const decadeNames = ["10 nA", "100 nA", "1 µA", "10 µA", "100 µA", "1 mA", "10 mA", "100 mA", "1 A"];

  // Names of the bands that are wide enough in this view to carry one.
  function bandNames(data, shown) {
    const least = (shown.x1 - shown.x0) * 0.08;
    return data.bands.filter((band) => Math.min(band.x1, shown.x1) - Math.max(band.x0, shown.x0) > least).map((band) => ({
      x: (Math.max(band.x0, shown.x0) + Math.min(band.x1, shown.x1)) / 2, y: 0.1, xref: "x", yref: "paper",
      yanchor: "bottom", text: band.name, showarrow: false, font: { color: band.colour, size: 13 },
    }));
  }

  function layout(data, name) {
    const shown = view(data, name);
    const line = colour("--line");
    const narrow = window.innerWidth < 640;
    return {
      margin: { l: 62, r: 8, t: 8, b: 40 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour("--ink"), family: "inherit", size: 12 },
      hovermode: "closest",
      dragmode: narrow ? "pan" : "zoom",
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      xaxis: { title: { text: "time in s" }, range: [shown.x0, shown.x1], gridcolor: line, zeroline: false, nticks: narrow ? 5 : 10 },
      yaxis: { type: "log", tickvals: decades, ticktext: decadeNames, gridcolor: line, fixedrange: narrow },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--soft"), activecolor: colour("--ink") },
      annotations: bandNames(data, shown),
      shapes: data.bands.filter((band) => band.shaded).map((band) => ({
        type: "rect", layer: "below", xref: "x", yref: "paper", x0: band.x0, x1: band.x1, y0: 0, y1: 1,
        fillcolor: band.colour, opacity: 0.16, line: { width: 0 },
      })),
    };
  }

  function traces(data) {
    return data.traces.map((trace) => ({
      type: "scatter", mode: "lines", name: trace.name, x: trace.x, y: trace.y,
      line: { color: trace.colour, width: 1.6, shape: "hv" }, connectgaps: false,
      hovertemplate: "%{y:.4s}A at %{x:.6f} s<extra>" + trace.name + "</extra>",
    }));
  }

  const settings = { responsive: true, displaylogo: false, displayModeBar: window.innerWidth < 640 ? false : "hover", modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
  const figures = [...document.querySelectorAll(".figure")];
  const dataOf = (number) => JSON.parse(document.getElementById("waveform-" + number).textContent);
  const draw = (element) => {
    const data = dataOf(element.dataset.waveform);
    return Plotly.react(element, traces(data), layout(data, element.dataset.view), settings);
  };
  figures.forEach(draw);

  const charts = [...document.querySelectorAll(".bars")];
  const drawBars = (element) => {
    const data = JSON.parse(document.getElementById("bars-" + element.dataset.bars).textContent);
    const trace = {
      type: "bar", orientation: "h", x: data.values, y: data.labels,
      marker: { color: data.marked.map((marked) => colour(marked ? "--pass" : "--bar")) },
      error_x: { type: "data", array: data.uncertainties, color: colour("--ink"), thickness: 1.4, width: 5 },
      hovertemplate: "%{y}: %{x:.4g}<extra></extra>",
    };
    return Plotly.react(element, [trace], {
      margin: { l: 8, r: 12, t: 6, b: 44 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour("--ink"), family: "inherit", size: 12 },
      xaxis: { title: { text: data.title }, gridcolor: colour("--line"), zeroline: false, rangemode: "tozero", fixedrange: true },
      yaxis: { automargin: true, autorange: "reversed", fixedrange: true, ticksuffix: " " },
      bargap: 0.35,
    }, { responsive: true, displayModeBar: false });
  };
  charts.forEach(drawBars);

  document.querySelectorAll(".views").forEach((group) => {
    group.addEventListener("click", (event) => {
      if (event.target.tagName !== "BUTTON") return;
      const number = group.dataset.for;
      const element = document.querySelector(`.figure.detail[data-waveform="${number}"]`);
      element.dataset.view = event.target.dataset.view;
      group.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", button === event.target));
      draw(element);
    });
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    figures.forEach(draw);
    charts.forEach(drawBars);
  });
})();
