// A plain link to a file that the browser makes from bytes it already holds: no server is asked.
function render({ model, el }) {
  el.classList.add("s2p-download");
  const link = document.createElement("a");
  el.append(link);
  let url = null;

  const update = () => {
    if (url) URL.revokeObjectURL(url);
    url = null;
    const content = model.get("content");
    link.textContent = model.get("label");
    link.title = model.get("hint");
    if (content && content.byteLength) {
      url = URL.createObjectURL(new Blob([content], { type: model.get("mime") }));
      link.href = url;
      link.download = model.get("filename");
    } else {
      link.removeAttribute("href");
    }
    link.classList.toggle("s2p-disabled", !url);
    link.setAttribute("aria-disabled", String(!url));
  };
  for (const name of ["content", "label", "filename"]) model.on(`change:${name}`, update);
  update();
  return () => url && URL.revokeObjectURL(url);
}

export default { render };
