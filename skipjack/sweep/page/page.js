"use strict";
// One file, no network: the data stand in the page.
const data = JSON.parse(document.getElementById("data").textContent);
const NS = "http://www.w3.org/2000/svg";
const find = (selector) => document.querySelector(selector);
const state = { picked: null, brushes: {}, sort: "number", down: false };

function svg(parent, width, height) {
  const made = node(parent, "svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  return made;
}
function node(parent, name, attributes = {}, text = "") {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  parent.appendChild(made);
  return made;
}
const short = (value) => {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  return Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3 ? value.toExponential(2) : String(+value.toPrecision(4));
};
const bend = {
  linear: (v) => v, log: Math.log, pow2: Math.log, logit: (v) => Math.log(v / (1 - v)),
};
// A scale of a parameter or of figures: from a value to 0..1, with ticks.
function scaleOf(kind, values, options) {
  if (kind === "choice") {
    const place = (v) => (options.length > 1 ? options.indexOf(v) / (options.length - 1) : 0.5);
    return { at: place, ticks: options };
  }
  const known = values.filter((v) => typeof v === "number" && isFinite(bend[kind](v)));
  let low = Math.min(...known), high = Math.max(...known);
  if (!(low < high)) { low = low === 0 ? -1 : low * 0.9; high = high === 0 ? 1 : high * 1.1; }
  const f = bend[kind];
  const at = (v) => (f(v) - f(low)) / (f(high) - f(low));
  let ticks = [low, (low + high) / 2, high];
  if (kind === "log" || kind === "pow2") {
    ticks = [];
    for (let p = Math.ceil(Math.log10(low) - 1e-9); p <= Math.log10(high) + 1e-9; p++) ticks.push(10 ** p);
    if (ticks.length < 2) ticks = [low, high];
  }
  if (kind === "logit") ticks = [low, high];
  return { at, ticks };
}
// A frame with axes; gives functions from values to places.
function frame(parent, width, height, x, y, names) {
  const box = svg(parent, width, height), left = 52, bottom = 34, top = 24, right = 12;
  const px = (v) => left + x.at(v) * (width - left - right);
  px.right = width - right;
  const py = (v) => height - bottom - y.at(v) * (height - bottom - top);
  node(box, "line", { class: "axis", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom });
  node(box, "line", { class: "axis", x1: left, x2: left, y1: top, y2: height - bottom });
  for (const v of x.ticks) node(box, "text", { x: px(v), y: height - bottom + 14, "text-anchor": "middle" }, short(v));
  for (const v of y.ticks) node(box, "text", { x: left - 5, y: py(v) + 4, "text-anchor": "end" }, short(v));
  node(box, "text", { x: (left + width) / 2, y: height - 4, "text-anchor": "middle" }, names[0]);
  node(box, "text", { x: 4, y: 10 }, names[1]);
  return { box, px, py };
}
const done = data.trials.filter((t) => t.score !== null);
const front = data.front.map((n) => data.trials.find((t) => t.number === n));
const part = (name) => data.parameters.find((p) => p.name === name);
const scaleFor = (p) => scaleOf(p.scale === "pow2" ? "pow2" : p.scale, done.map((t) => t.params[p.name]), p.options);

function colours() {
  const name = find("#colour").value, p = part(name);
  const scale = p ? scaleFor(p) : null;
  return (t) => {
    if (name === "state") return t.stopped ? "#8a8f98" : t.repeats !== null ? "#7c3aed" : "#2563eb";
    const at = Math.min(1, Math.max(0, p ? scale.at(t.params[name]) : 0));
    return `hsl(${260 - 220 * at} 75% 50%)`;
  };
}
function costScale(more = []) {
  return scaleOf("log", [...done.map((t) => t.cost), ...more].filter((c) => c > 0));
}
function drawFront() {
  const parent = find("#front .chart");
  parent.replaceChildren();
  if (!done.length) return;
  const ends = done.flatMap((t) => [t.score - (t.ci || 0), t.score + (t.ci || 0)]);
  const { box, px, py } = frame(parent, 900, 380, costScale(), scaleOf("linear", ends), ["cost in seconds (log)", data.metric]);
  const colour = colours();
  let path = "";
  front.forEach((t, i) => { path += i ? `H${px(t.cost)}V${py(t.score)}` : `M${px(t.cost)},${py(t.score)}`; });
  node(box, "path", { class: "frontline", d: path + `H${px.right}` });
  for (const t of done) {
    if (t.ci) node(box, "line", { class: "whisker", x1: px(t.cost), x2: px(t.cost), y1: py(t.score - t.ci), y2: py(t.score + t.ci) });
    const dot = node(box, "circle", {
      class: "dot" + (state.picked === t.number ? " picked" : ""), cx: px(t.cost), cy: py(t.score),
      r: data.front.includes(t.number) ? 5 : 3.5, fill: colour(t), opacity: kept(t) ? 1 : 0.12, "data-trial": t.number,
    });
    node(dot, "title", {}, `trial ${t.number}: ${short(t.score)} for ${short(t.cost)} s`);
    dot.addEventListener("click", () => pick(t.number));
  }
}
function drawAlong() {
  const parent = find("#along .grid");
  parent.replaceChildren();
  if (!front.length) return;
  for (const p of data.parameters) {
    const { box, px, py } = frame(parent, 300, 170, costScale(), scaleFor(p), ["cost (log)", p.name]);
    let path = "";
    for (const t of front) {
      const [x, y] = [px(t.cost), py(t.params[p.name])];
      path += `${path ? "L" : "M"}${x},${y}`;
      node(box, "circle", { cx: x, cy: y, r: 3.5, fill: "var(--mark)" });
    }
    node(box, "path", { class: "frontline", d: path });
  }
}
function drawImportance() {
  const parent = find("#importance .chart"), rows = data.importance;
  if (!rows.length) { parent.textContent = "Too few trials to tell."; return; }
  const box = svg(parent, 900, 20 * rows.length + 8), most = Math.max(...rows.map((r) => r[1])) || 1;
  rows.forEach(([name, value], i) => {
    node(box, "text", { x: 205, y: 20 * i + 15, "text-anchor": "end" }, name);
    node(box, "rect", { x: 212, y: 20 * i + 4, width: (600 * value) / most, height: 13, fill: "#2563eb" });
    node(box, "text", { x: 218 + (600 * value) / most, y: 20 * i + 15 }, short(value));
  });
}
function axes() {
  const found = data.parameters.map((p) => ({ name: p.name, scale: scaleFor(p), of: (t) => t.params[p.name] }));
  found.push({ name: "cost", scale: costScale(), of: (t) => t.cost });
  found.push({ name: data.metric, scale: scaleOf("linear", done.map((t) => t.score)), of: (t) => t.score });
  return found;
}
function drawParallel() {
  const parent = find("#parallel .chart");
  parent.replaceChildren();
  if (!done.length) return;
  const all = axes(), width = Math.max(900, 95 * all.length), height = 300, top = 40, span = 230;
  const box = svg(parent, width, height), px = (i) => 50 + (i * (width - 100)) / (all.length - 1);
  const py = (at) => top + span * (1 - at), colour = colours();
  for (const t of done) {
    const d = all.map((a, i) => `${i ? "L" : "M"}${px(i)},${py(a.scale.at(a.of(t)))}`).join("");
    node(box, "path", { class: "curve" + (state.picked === t.number ? " picked" : ""), d, stroke: colour(t), opacity: kept(t) ? 0.75 : 0.06 });
  }
  all.forEach((a, i) => {
    node(box, "line", { class: "axis", x1: px(i), x2: px(i), y1: top, y2: top + span });
    node(box, "text", { x: px(i), y: i % 2 ? 12 : 26, "text-anchor": "middle" }, a.name.replace(/^[a-z]+\./, ""));
    for (const v of [a.scale.ticks[0], a.scale.ticks[a.scale.ticks.length - 1]]) node(box, "text", { x: px(i) + 4, y: py(a.scale.at(v)) + 4 }, short(v));
    const brush = state.brushes[a.name];
    if (brush) node(box, "rect", { class: "brush", x: px(i) - 9, width: 18, y: py(brush[1]), height: Math.max(2, py(brush[0]) - py(brush[1])) });
    const area = node(box, "rect", { class: "catch", x: px(i) - 14, y: top - 6, width: 28, height: span + 12, "data-axis": a.name });
    const place = (event) => {
      const bounds = box.getBoundingClientRect();
      return Math.min(1, Math.max(0, 1 - (((event.clientY - bounds.top) * height) / bounds.height - top) / span));
    };
    area.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const begin = place(event);
      const end = (up) => {
        const there = place(up);
        if (Math.abs(there - begin) < 0.02) delete state.brushes[a.name];
        else state.brushes[a.name] = [Math.min(begin, there), Math.max(begin, there)];
        refresh();
      };
      window.addEventListener("pointerup", end, { once: true });
    });
  });
}
function kept(t) {
  if (!Object.keys(state.brushes).length) return true;
  if (t.score === null) return false;
  return axes().every((a) => {
    const brush = state.brushes[a.name];
    const at = brush ? a.scale.at(a.of(t)) : 0;
    return !brush || (at >= brush[0] - 1e-9 && at <= brush[1] + 1e-9);
  });
}
function smoothed(points, share) {
  let last = null;
  return points.map((p) => { last = last === null ? p[1] : share * last + (1 - share) * p[1]; return [p[0], last, p[2]]; });
}
function drawCurves() {
  const parent = find("#curves .chart"), axis = +find("#axis").value, share = +find("#smooth").value;
  parent.replaceChildren();
  const shown = data.trials.filter((t) => t.curve.length > 1 && kept(t));
  const points = shown.flatMap((t) => t.curve);
  if (!points.length) { parent.textContent = "No curves."; return; }
  const { box, px, py } = frame(parent, 900, 320, scaleOf("log", points.map((p) => p[axis]).filter((v) => v > 0)), scaleOf("linear", points.map((p) => p[1])), [axis ? "steps (log)" : "cost in seconds (log)", data.metric]);
  const colour = colours();
  for (const t of shown) {
    const d = smoothed(t.curve, share).filter((p) => p[axis] > 0).map((p, i) => `${i ? "L" : "M"}${px(p[axis])},${py(p[1])}`).join("");
    const line = node(box, "path", { class: "curve" + (state.picked === t.number ? " picked" : ""), d, stroke: colour(t) });
    node(line, "title", {}, `trial ${t.number}${t.stopped ? ", stopped: " + t.why : ""}`);
    line.addEventListener("click", () => pick(t.number));
  }
}
function drawCost() {
  const parent = find("#cost .chart"), aimed = done.filter((t) => t.aim);
  if (!aimed.length) { parent.textContent = "Only our own sampler aims at a cost."; return; }
  const scale = costScale(aimed.map((t) => t.aim));
  const { box, px, py } = frame(parent, 500, 380, scale, scale, ["aimed cost (log)", "real cost"]);
  node(box, "line", { class: "axis", x1: px(scale.ticks[0]), y1: py(scale.ticks[0]), x2: px(scale.ticks.at(-1)), y2: py(scale.ticks.at(-1)) });
  for (const t of aimed) node(box, "circle", { cx: px(t.aim), cy: py(t.cost), r: 3.5, fill: t.stopped ? "#8a8f98" : "#2563eb" });
}
const columns = () => [
  ["number", (t) => t.number], ["state", (t) => t.state], [data.metric, (t) => t.score], ["± 95 %", (t) => t.ci],
  ["cost s", (t) => t.cost], ["steps", (t) => t.steps], ["repeats", (t) => t.repeats], ["spread", (t) => t.spread],
  ...data.parameters.map((p) => [p.name, (t) => t.params[p.name]]),
  ["seed", (t) => t.seed], ["worker", (t) => t.worker], ["why", (t) => t.why],
];
// Words, all of which must stand in a row; name<number and name>number ask for a column.
function matches(t, words) {
  const all = columns();
  const text = all.map(([, of]) => String(of(t) ?? "")).join(" ").toLowerCase();
  return words.every((word) => {
    const asked = word.match(/^([^<>=]+)([<>=])(.+)$/);
    if (!asked) return text.includes(word);
    const column = all.find(([name]) => name.toLowerCase().split(" ")[0].endsWith(asked[1]));
    if (!column) return false;
    const value = column[1](t), wanted = isNaN(+asked[3]) ? asked[3] : +asked[3];
    if (value === null || value === undefined) return false;
    if (asked[2] === "=") return String(value).toLowerCase() === String(wanted);
    return asked[2] === "<" ? value < wanted : value > wanted;
  });
}
function drawTable() {
  const all = columns(), head = find("#trials thead"), body = find("#trials tbody");
  const words = find("#filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const row = document.createElement("tr");
  for (const [name] of all) {
    const cell = document.createElement("th");
    cell.textContent = name + (state.sort === name ? (state.down ? " ↓" : " ↑") : "");
    cell.addEventListener("click", () => {
      state.down = state.sort === name ? !state.down : name === data.metric;
      state.sort = name;
      drawTable();
    });
    row.appendChild(cell);
  }
  const last = document.createElement("th");
  last.textContent = "command";
  row.appendChild(last);
  head.replaceChildren(row);
  const of = all.find(([name]) => name === state.sort)[1];
  const order = (a, b) => {
    const [x, y] = [of(a) ?? null, of(b) ?? null];
    if (x === null || y === null) return (x === null) - (y === null);
    const sign = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
    return state.down ? -sign : sign;
  };
  const shown = data.trials.filter((t) => kept(t) && matches(t, words)).sort(order);
  body.replaceChildren(...shown.map((t) => tableRow(t, all)));
  find("#count").textContent = `${shown.length} of ${data.trials.length}`;
}
function tableRow(t, all) {
  const row = document.createElement("tr");
  row.dataset.trial = t.number;
  row.classList.toggle("front", data.front.includes(t.number));
  row.classList.toggle("picked", state.picked === t.number);
  for (const [, of] of all) {
    const cell = document.createElement("td"), value = of(t);
    cell.textContent = short(value);
    if (typeof value === "string") cell.className = "text";
    row.appendChild(cell);
  }
  const cell = document.createElement("td"), button = document.createElement("button");
  button.textContent = "show";
  button.addEventListener("click", () => pick(t.number));
  cell.appendChild(button);
  row.appendChild(cell);
  return row;
}
function pick(number) {
  state.picked = number;
  const t = data.trials.find((each) => each.number === number), told = find("#chosen");
  told.replaceChildren(`Trial ${number}${t.score === null ? "" : `, ${data.metric} ${short(t.score)} for ${short(t.cost)} s`}: `);
  const code = document.createElement("code");
  code.textContent = t.command;
  told.appendChild(code);
  refresh();
}
function refresh() {
  drawFront(); drawParallel(); drawCurves(); drawTable();
}
const colour = find("#colour");
for (const name of ["state", ...data.parameters.map((p) => p.name)]) colour.add(new Option(name, name));
for (const id of ["#colour", "#axis", "#smooth"]) find(id).addEventListener("input", refresh);
find("#filter").addEventListener("input", drawTable);
find("#summary").textContent = data.summary;
drawAlong(); drawImportance(); drawCost(); refresh();
