// Draws what the kernel says the figure is, whenever that changes. A message that tells what to alter can be
// lost while the page is being painted; a state cannot, since whoever draws later reads the same state.
// All figures share one copy of plotly: fetched from the server if it offers one, else taken from the kernel.
const MEMBER = "spike2pop-member";
const NONE = -1;

function address(model) {
  const path = model.get("_bundle_url");
  if (!path) {
    return URL.createObjectURL(new Blob([model.get("_bundle_code")], { type: "text/javascript" }));
  }
  const base = document.body.dataset.baseUrl ?? "/voila/";
  return new URL(path, new URL(base.replace(/voila\/$/, ""), window.location.href)).href;
}

const pause = (ms) => new Promise((done) => window.setTimeout(done, ms));

// A plain script, unlike a module, is kept compiled by browsers for the next visit. Running it takes the browser
// up to a second, in which no click is answered, so that the page that holds the figures comes first.
const FIRST_CLICK_MS = 500;
const LATEST_MS = 20000;

async function library(model) {
  const begin = performance.now();
  do await pause(100);
  while (document.querySelector(".s2p-preparing") && performance.now() < begin + LATEST_MS);
  await pause(FIRST_CLICK_MS);
  const other = globalThis.Plotly; // of a notebook, say
  globalThis.PlotlyConfig ??= { MathJaxConfig: "local" };
  await new Promise((done, failed) => {
    const script = document.createElement("script");
    Object.assign(script, { src: address(model), async: true, onload: done, onerror: failed });
    document.head.append(script);
  });
  const plotly = globalThis.Plotly;
  if (other) globalThis.Plotly = other;
  return plotly;
}

// Arrays of numbers arrive as buffers.
const NUMBERS = {
  float64: Float64Array, float32: Float32Array, int32: Int32Array, int16: Int16Array, int8: Int8Array,
  uint32: Uint32Array, uint16: Uint16Array, uint8: Uint8Array,
};

function unpacked(value) {
  if (Array.isArray(value)) return value.map(unpacked);
  if (value === null || typeof value !== "object") return value;
  if (ArrayBuffer.isView(value.buffer)) {
    const { buffer, byteOffset, byteLength } = value.buffer;
    const all = new NUMBERS[value.dtype](buffer.slice(byteOffset, byteOffset + byteLength));
    if (value.shape.length < 2) return all;
    const [rows, columns] = value.shape;
    return Array.from({ length: rows }, (_, row) => all.subarray(row * columns, (row + 1) * columns));
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unpacked(inner)]));
}

// What differs between two layouts; null for what is gone.
function changed(before, after) {
  const keys = Object.keys({ ...before, ...after });
  const differs = (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]);
  return Object.fromEntries(keys.filter(differs).map((key) => [key, after[key] ?? null]));
}

// Where a double click and "Reset axes" lead back to: plotly keeps the axes of what it drew first, which was
// no figure yet.
function keepAxes(plot, layout) {
  for (const [name, axis] of Object.entries(plot._fullLayout)) {
    if (/^[xy]axis\d*$/.test(name)) [axis._rangeInitial0, axis._rangeInitial1] = layout[name]?.range ?? [];
  }
}

// Lights up one member: its points among those with ids, which begin with the number of a member, and its own
// lines among lines. What is drawn gets a class, since telling plotly would have it draw all figures anew.
function lightUp(plot, member) {
  for (const group of plot.querySelectorAll(".scatterlayer > .trace")) {
    const trace = group.__data__?.[0]?.trace;
    if (trace?.ids) {
      for (const point of group.querySelectorAll(".points > path")) {
        const other = member !== NONE && parseInt(point.__data__.id, 10) !== member;
        point.classList.toggle("s2p-other-point", other);
      }
    } else if (trace?.meta?.member !== undefined) {
      group.classList.toggle("s2p-other-line", member !== NONE && trace.meta.member !== member);
    }
  }
}

// A point of the figure that is moved with the mouse, a finger or the arrow keys; the kernel hears where to,
// while it moves too, but not more often than it can follow.
const EVERY_MS = 80;
const STEPS = 100; // of an arrow key over an axis

function draggable({ model, el }) {
  const handle = document.createElement("div");
  handle.className = "s2p-handle";
  handle.tabIndex = 0;
  handle.setAttribute("role", "slider");
  let moving = false;
  let sent = 0;
  let told = 0; // until the kernel has heard the last, what it says is older
  let shown = null; // where it is on the page

  const axes = () => {
    const plot = el.matches(".js-plotly-plot") ? el : el.querySelector(".js-plotly-plot");
    const layout = plot?._fullLayout;
    return layout?.xaxis?.p2d ? { plot, x: layout.xaxis, y: layout.yaxis } : null;
  };
  const inside = (value, axis) => {
    const [low, high] = [...axis.range].sort((a, b) => a - b);
    return Math.min(Math.max(value, low), high);
  };
  const show = ([x, y], found) => {
    shown = [x, y];
    const plot = found.plot.getBoundingClientRect();
    const own = el.getBoundingClientRect();
    handle.style.left = `${plot.left - own.left + found.x._offset + found.x.d2p(x)}px`;
    handle.style.top = `${plot.top - own.top + found.y._offset + found.y.d2p(y)}px`;
    handle.setAttribute("aria-label", model.get("_point_says"));
    handle.setAttribute("aria-valuenow", x.toFixed(2));
    handle.setAttribute("aria-valuetext", `${x.toFixed(2)}, ${y.toFixed(2)}`);
  };
  const place = () => {
    const at = model.get("_point");
    const found = axes();
    if (at.length !== 2 || !found) return handle.remove();
    if (!handle.isConnected) el.append(handle);
    if (!moving && told <= model.get("_point_heard")) show(at, found);
  };
  const tell = (at, now) => {
    if (!now && performance.now() - sent < EVERY_MS) return;
    sent = performance.now();
    told = Math.max(told, model.get("_point_heard")) + 1;
    model.send({ kind: "point", x: at[0], y: at[1], told });
  };
  const follow = (event) => {
    const found = axes();
    if (!found) return;
    const plot = found.plot.getBoundingClientRect();
    const at = [
      inside(found.x.p2d(event.clientX - plot.left - found.x._offset), found.x),
      inside(found.y.p2d(event.clientY - plot.top - found.y._offset), found.y),
    ];
    show(at, found);
    tell(at, false);
  };
  handle.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    moving = true;
    handle.setPointerCapture(event.pointerId);
    handle.focus();
    event.preventDefault();
    event.stopPropagation();
  });
  handle.addEventListener("pointermove", (event) => moving && follow(event));
  const end = () => {
    if (!moving) return;
    moving = false;
    tell(shown, true);
  };
  handle.addEventListener("pointerup", end);
  handle.addEventListener("pointercancel", end);
  handle.addEventListener("keydown", (event) => {
    const [right, up] =
      { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key] ?? [];
    const found = axes();
    if (right === undefined || !found) return;
    event.preventDefault();
    const step = (axis) => Math.abs(axis.range[1] - axis.range[0]) / STEPS;
    const [x, y] = shown;
    show([inside(x + right * step(found.x), found.x), inside(y + up * step(found.y), found.y)], found);
    tell(shown, true);
  });
  model.on("change:_point change:_point_heard", place);
  return {
    place,
    remove: () => {
      model.off("change:_point change:_point_heard", place);
      handle.remove();
    },
  };
}

// How plotly animates without any animation.
const STILL = { mode: "immediate", frame: { duration: 0, redraw: false }, transition: { duration: 0 } };

// Figures are drawn one after the other, those that are looked at first, and the page answers in between.
const AT_ONCE_MS = 20;
const waiting = (globalThis.spike2popWaiting ??= new Map());

function soon(el, draw) {
  if (!waiting.size) globalThis.spike2popTurn = new Promise((done) => requestAnimationFrame(() => drawNext(done)));
  waiting.set(el, draw);
}

function drawNext(done) {
  const begun = performance.now();
  while (waiting.size && performance.now() - begun < AT_ONCE_MS) {
    const seen = ([el]) => {
      const { top, bottom } = el.getBoundingClientRect();
      return bottom > 0 && top < window.innerHeight;
    };
    const all = [...waiting];
    const [el, draw] = all.find(seen) ?? all[0];
    waiting.delete(el);
    try {
      draw();
    } catch (error) {
      console.error(error); // the other figures are drawn all the same
    }
  }
  // after the frame, so that what was drawn is on the screen
  if (waiting.size) requestAnimationFrame(() => window.setTimeout(() => drawNext(done)));
  else done();
}

function render({ model, el }) {
  globalThis.spike2popPlotly ??= library(model);
  const box = document.createElement("div");
  el.append(box);
  let plotly = null;
  let removed = false;
  let lit = NONE;
  let curves = null; // as they came from the kernel, to tell which of them are new
  let moving = null;
  let layout = null;
  let fixed = []; // the curves that stay while others move

  const light = (member) => {
    if (member === lit) return;
    lit = member;
    lightUp(box, lit);
  };
  const click = (event) => {
    const { data, pointNumber } = event.points[0];
    const member = parseInt(data.ids?.[pointNumber] ?? data.meta?.member, 10);
    if (Number.isNaN(member)) return;
    const picked = member === lit ? NONE : member;
    document.dispatchEvent(new CustomEvent(MEMBER, { detail: { member: picked, group: model.get("_group") } }));
    model.send({ kind: "pick", member: picked });
  };
  const moved = (event) => {
    const y = event["shapes[0].y0"];
    if (y !== undefined) model.send({ kind: "drag", y });
    if (event["xaxis.range[0]"] !== undefined) {
      model.send({ kind: "zoom", ends: [event["xaxis.range[0]"], event["xaxis.range[1]"]] });
    } else if (event["xaxis.range"] || event["xaxis.autorange"]) {
      model.send({ kind: "zoom", ends: event["xaxis.range"] ?? null });
    }
  };
  const marked = (event) => {
    const ends = Object.entries(event?.range ?? {}).find(([axis]) => axis.startsWith("x"))?.[1];
    if (ends) model.send({ kind: "stretch", from: ends[0], to: ends[1] });
  };
  const painted = () => {
    keepAxes(box, layout);
    if (lit !== NONE) lightUp(box, lit);
    point.place();
  };
  const draw = () => {
    if (!plotly || removed) return;
    const first = !box.data;
    const [curvesBefore, movingBefore, layoutBefore] = [curves, moving, layout];
    [curves, moving, layout] = ["_widget_data", "_widget_moving", "_widget_layout"].map((name) => model.get(name));
    if (!first && curves === curvesBefore) {
      if (moving === movingBefore) {
        plotly.relayout(box, changed(unpacked(layoutBefore), unpacked(layout)));
        return;
      }
      if (layout === layoutBefore && layout.dragmode === "select") {
        // Plotly animates no curves that may be marked; what is looked at stays.
        box.layout.selections = [];
        plotly.react(box, [...fixed, ...unpacked(moving)], box.layout, model.get("_config"));
        return;
      }
      if (layout === layoutBefore && moving.length === movingBefore.length) {
        // these alone are drawn anew: a map beneath them takes longer than all the rest
        const traces = moving.map((_, i) => fixed.length + i);
        plotly.animate(box, { data: unpacked(moving), traces }, STILL).then(painted);
        return;
      }
    } else {
      fixed = unpacked(curves);
    }
    plotly.react(box, [...fixed, ...unpacked(moving)], unpacked(layout), model.get("_config"));
    if (!first) return;
    box.on("plotly_click", click);
    box.on("plotly_relayout", moved);
    box.on("plotly_selected", marked);
    box.on("plotly_afterplot", painted);
    painted();
  };
  const redraw = () => soon(el, draw);
  const own = () => light(model.get("_member"));
  const others = (event) => {
    if (event.detail.group === model.get("_group")) light(event.detail.member);
  };
  const point = draggable({ model, el });
  const name = () => {
    el.setAttribute("role", "figure");
    el.setAttribute("aria-label", model.get("_says"));
  };

  let width = el.clientWidth;
  const observer = new ResizeObserver(() => {
    if (!el.clientWidth || el.clientWidth === width) return;
    width = el.clientWidth;
    if (box.data) plotly.Plots.resize(box);
  });
  observer.observe(el);
  model.on("change:_drawn", redraw);
  model.on("change:_member", own);
  model.on("change:_says", name);
  document.addEventListener(MEMBER, others);
  name();
  own();
  // The page is shown without waiting for plotly, which is large.
  globalThis.spike2popPlotly.then(
    (found) => {
      plotly = found;
      redraw();
    },
    () => {
      box.textContent = "The code that draws figures could not be loaded; reload the page.";
    },
  );
  return () => {
    removed = true;
    model.off("change:_drawn", redraw);
    model.off("change:_member", own);
    model.off("change:_says", name);
    document.removeEventListener(MEMBER, others);
    observer.disconnect();
    point.remove();
    if (box.data) plotly.purge(box);
  };
}

export default { render };
