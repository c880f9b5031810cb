// A file goes to the kernel in parts: no message is large, progress can be shown, and a file over the limit
// is refused before a byte of it is read.
const PART = 2 * 1024 * 1024;

function render({ model, el }) {
  el.classList.add("s2p-upload");
  const label = document.createElement("label");
  const text = document.createElement("span");
  const input = document.createElement("input");
  input.type = "file";
  label.append(text, input);
  el.append(label);

  let busy = false;
  const update = () => {
    const disabled = model.get("disabled") || busy;
    text.textContent = busy || model.get("label");
    label.title = model.get("hint");
    input.accept = model.get("accept");
    input.disabled = disabled;
    label.classList.toggle("s2p-disabled", disabled);
  };

  async function send(file) {
    const { name, size } = file;
    if (size > model.get("limit_bytes")) {
      model.send({ kind: "refused", name, size });
      return;
    }
    model.send({ kind: "start", name, size });
    for (let at = 0; at < size; at += PART) {
      const part = await file.slice(at, at + PART).arrayBuffer();
      model.send({ kind: "part" }, undefined, [part]);
      busy = `Sending ${Math.round((100 * Math.min(size, at + PART)) / size)} %`;
      update();
    }
    model.send({ kind: "end" });
  }

  async function take(files) {
    if (!files.length || busy || model.get("disabled")) return;
    busy = "Sending…";
    update();
    try {
      await send(files[0]);
    } catch (error) {
      model.send({ kind: "unreadable", name: files[0].name });
    } finally {
      busy = false;
      input.value = ""; // so that choosing the same file again is noticed
      update();
    }
  }

  input.addEventListener("change", () => take([...input.files]));
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    label.addEventListener(kind, (event) => {
      event.preventDefault();
      label.classList.toggle("s2p-over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop") take([...event.dataTransfer.files]);
    });
  }
  for (const name of ["disabled", "label", "accept"]) model.on(`change:${name}`, update);
  update();
}

export default { render };
