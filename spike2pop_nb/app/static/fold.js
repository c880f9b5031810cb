// The head of a folded part: a real button, so that it is reached and opened by keyboard and named to all.
function render({ model, el }) {
  el.classList.add("s2p-fold-head");
  const button = document.createElement("button");
  button.type = "button";
  el.append(button);
  const update = () => {
    button.textContent = model.get("label");
    button.setAttribute("aria-expanded", String(model.get("opened")));
  };
  button.addEventListener("click", () => {
    model.set("opened", !model.get("opened"));
    model.save_changes();
  });
  for (const name of ["opened", "label"]) model.on(`change:${name}`, update);
  update();
  return () => {
    for (const name of ["opened", "label"]) model.off(`change:${name}`, update);
  };
}

export default { render };
