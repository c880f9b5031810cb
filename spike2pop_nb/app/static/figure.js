// Draws what the kernel says the figure is, whenever that changes. A message that tells what to alter can be
// lost while the page is being painted; a state cannot, since whoever draws later reads the same state.
// All figures share one copy of plotly: fetched from the server if it offers one, else taken from the kernel.
function address(model) {
  const path = model.get("_bundle_url");
  if (!path) {
    return URL.createObjectURL(new Blob([model.get("_bundle_code")], { type: "text/javascript" }));
  }
  const base = document.body.dataset.baseUrl ?? "/voila/";
  return new URL(path, new URL(base.replace(/voila\/$/, ""), window.location.href)).href;
}

async function render({ model, el }) {
  globalThis.spike2popPlotly ??= import(address(model));
  const plotly = (await globalThis.spike2popPlotly).default;
  let clear = null;
  let asked = false;

  const draw = () => {
    asked = false;
    clear?.();
    // Plotly's widget never stops listening, so what it listens to is kept and released here.
    const heard = [];
    const facade = {
      get: (name) => model.get(name),
      set: (name, value) => model.set(name, value),
      save_changes: () => model.save_changes(),
      on: (name, act) => {
        heard.push([name, act]);
        model.on(name, act);
      },
    };
    const figure = plotly();
    figure.initialize({ model: facade });
    const remove = figure.render({ model: facade, el });
    clear = () => {
      for (const [name, act] of heard) model.off(name, act);
      remove?.();
    };
  };
  const redraw = () => {
    if (!asked) requestAnimationFrame(draw);
    asked = true;
  };

  let width = el.clientWidth;
  const observer = new ResizeObserver(() => {
    if (!el.clientWidth || el.clientWidth === width) return;
    width = el.clientWidth;
    window.dispatchEvent(new Event("resize")); // plotly looks at its width only then
  });
  observer.observe(el);
  model.on("change:_drawn", redraw);
  draw();
  return () => {
    model.off("change:_drawn", redraw);
    observer.disconnect();
    clear?.();
  };
}

export default { render };
