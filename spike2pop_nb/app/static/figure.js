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

function render({ model, el }) {
  globalThis.spike2popPlotly ??= import(address(model));
  let plotly = null;
  let clear = null;
  let asked = false;
  let light = () => {};

  const pick = (member) => {
    document.dispatchEvent(new CustomEvent(MEMBER, { detail: member }));
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
    if (!plotly) return;
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
    if (!asked) requestAnimationFrame(draw);
    asked = true;
  };
  const lightUp = () => light(model.get("_member"));
  const others = (event) => light(event.detail);
  const painted = (event) => {
    if (event.detail.element === el && model.get("_member") !== NONE) lightUp();
  };

  const name = () => {
    el.setAttribute("role", "figure");
    el.setAttribute("aria-label", model.get("_says"));
  };

  let width = el.clientWidth;
  const observer = new ResizeObserver(() => {
    if (!el.clientWidth || el.clientWidth === width) return;
    width = el.clientWidth;
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
  let removed = false;
  globalThis.spike2popPlotly.then((module) => {
    plotly = module.default;
    if (!removed) requestAnimationFrame(draw);
  });
  return () => {
    removed = true;
    model.off("change:_drawn", redraw);
    model.off("change:_member", lightUp);
    model.off("change:_says", name);
    document.removeEventListener(MEMBER, others);
    document.removeEventListener("plotlywidget-after-render", painted);
    observer.disconnect();
    clear?.();
  };
}

export default { render };
