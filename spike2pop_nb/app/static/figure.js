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

// What lights up one member: its points among those with ids, which begin with the number of a member and
// differ from each other, and its own lines among lines.
function lit(traces, member) {
  const points = { restyle_data: { selectedpoints: [] }, restyle_traces: [], source_view_id: "" };
  const lines = { restyle_data: { opacity: [] }, restyle_traces: [], source_view_id: "" };
  traces.forEach((trace, i) => {
    if (trace.ids) {
      const own = [...trace.ids].flatMap((id, k) => (parseInt(id, 10) === member ? [k] : []));
      points.restyle_data.selectedpoints.push(member === NONE ? null : own);
      points.restyle_traces.push(i);
    } else if (trace.meta?.member !== undefined) {
      lines.restyle_data.opacity.push(member === NONE || trace.meta.member === member ? 1 : 0.35);
      lines.restyle_traces.push(i);
    }
  });
  return [points, lines].filter((change) => change.restyle_traces.length);
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
  let shown = null; // where it is on the page, which the kernel may not have heard yet

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
    if (!moving) show(at, found);
  };
  const tell = (at, now) => {
    if (!now && performance.now() - sent < EVERY_MS) return;
    sent = performance.now();
    model.send({ kind: "point", x: at[0], y: at[1] });
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
  model.on("change:_point", place);
  return {
    place,
    remove: () => {
      model.off("change:_point", place);
      handle.remove();
    },
  };
}

// Figures are painted one a frame, so that the page answers while several of them change.
function inTurn(act) {
  const before = globalThis.spike2popTurn ?? Promise.resolve();
  globalThis.spike2popTurn = before.then(
    () =>
      new Promise((done) => {
        requestAnimationFrame(() => {
          window.setTimeout(done);
          act();
        });
      }),
  );
}

function render({ model, el }) {
  globalThis.spike2popPlotly ??= import(address(model));
  let plotly = null;
  let clear = null;
  let asked = false;
  let removed = false;
  let light = () => {};

  const pick = (member) => {
    document.dispatchEvent(new CustomEvent(MEMBER, { detail: { member, group: model.get("_group") } }));
    model.send({ kind: "pick", member });
  };
  // Of what plotly tells, the kernel hears what it has a use for.
  const hear = (name, value) => {
    if (name === "_js2py_pointsCallback") {
      if (value?.event_type !== "plotly_click") return;
      const trace = model.get("_widget_data")[value.points.trace_indexes[0]];
      const id = trace?.ids?.[value.points.point_indexes[0]] ?? trace?.meta?.member;
      const member = parseInt(id, 10);
      if (!Number.isNaN(member)) pick(member === model.get("_member") ? NONE : member);
    } else if (name === "_js2py_relayout") {
      const y = value?.relayout_data?.["shapes[0].y0"];
      if (y !== undefined) model.send({ kind: "drag", y });
    } else if (name === "_js2py_traceDeltas") {
      model.set(name, value);
    }
  };

  const draw = () => {
    asked = false;
    if (!plotly || removed) return;
    clear?.();
    // Plotly's widget never stops listening, so what it listens to is kept and released here.
    const heard = [];
    const own = {};
    const facade = {
      get: (name) => own[name] ?? model.get(name),
      set: hear,
      save_changes: () => model.save_changes(),
      on: (name, act) => {
        heard.push([name, act]);
        model.on(name, act);
      },
    };
    const figure = plotly();
    figure.initialize({ model: facade });
    const remove = figure.render({ model: facade, el });
    light = (member) => {
      for (const change of lit(model.get("_widget_data") ?? [], member)) {
        own._py2js_restyle = change;
        for (const [name, act] of heard) if (name === "change:_py2js_restyle") act();
      }
      own._py2js_restyle = undefined;
    };
    clear = () => {
      for (const [name, act] of heard) model.off(name, act);
      remove?.();
    };
  };
  const redraw = () => {
    if (!asked) inTurn(draw);
    asked = true;
  };
  const lightUp = () => light(model.get("_member"));
  const others = (event) => {
    if (event.detail.group === model.get("_group")) light(event.detail.member);
  };
  const point = draggable({ model, el });
  const painted = (event) => {
    if (event.detail.element !== el) return;
    if (model.get("_member") !== NONE) lightUp();
    point.place();
  };

  const name = () => {
    el.setAttribute("role", "figure");
    el.setAttribute("aria-label", model.get("_says"));
  };

  let width = el.clientWidth;
  const observer = new ResizeObserver(() => {
    if (!el.clientWidth || el.clientWidth === width) return;
    width = el.clientWidth;
    requestAnimationFrame(point.place);
    window.dispatchEvent(new Event("resize")); // plotly looks at its width only then
  });
  observer.observe(el);
  model.on("change:_drawn", redraw);
  model.on("change:_member", lightUp);
  model.on("change:_says", name);
  document.addEventListener(MEMBER, others);
  document.addEventListener("plotlywidget-after-render", painted);
  name();
  // The page is shown without waiting for plotly, which is large.
  globalThis.spike2popPlotly.then((module) => {
    plotly = module.default;
    if (!removed) inTurn(draw);
  });
  return () => {
    removed = true;
    model.off("change:_drawn", redraw);
    model.off("change:_member", lightUp);
    model.off("change:_says", name);
    document.removeEventListener(MEMBER, others);
    document.removeEventListener("plotlywidget-after-render", painted);
    observer.disconnect();
    point.remove();
    clear?.();
  };
}

export default { render };
