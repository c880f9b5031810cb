// A button that has the kernel make a file and then saves it: no server is asked, and nothing is made twice.
function render({ model, el }) {
  el.classList.add("s2p-download");
  const button = document.createElement("button");
  button.type = "button";
  el.append(button);
  let waiting = false;

  const update = () => {
    const made = model.get("made");
    const stops = waiting && made !== "";
    button.textContent = stops ? `Cancel (${made} made)` : waiting ? "Being made…" : model.get("label");
    button.title = stops ? "Stop making this file" : model.get("hint");
    button.disabled = waiting ? !stops : model.get("disabled");
  };
  const receive = (message, buffers) => {
    waiting = false;
    update();
    if (message?.kind !== "file") return;
    const url = URL.createObjectURL(new Blob([buffers[0]], { type: message.mime }));
    const link = document.createElement("a");
    link.href = url;
    link.download = message.name;
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(url), 60000);
  };
  button.addEventListener("click", () => {
    if (waiting) {
      model.send({ kind: "stop" });
      return;
    }
    waiting = true;
    update();
    model.send({ kind: "ask" });
  });
  model.on("msg:custom", receive);
  for (const name of ["disabled", "label", "hint", "made"]) model.on(`change:${name}`, update);
  update();
  return () => model.off("msg:custom", receive);
}

export default { render };
