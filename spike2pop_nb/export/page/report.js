// Draws each figure when it comes into view, all of them before printing, in the colours of the page.
const colours = JSON.parse(document.getElementById("settings").textContent).dark;
const config = {
  responsive: true, displaylogo: false, doubleClick: "reset", showSendToCloud: false, plotlyServerURL: "",
  toImageButtonOptions: { format: "svg" },
};
const plots = [...document.querySelectorAll(".plot")];
const source = (plot) => JSON.parse(document.querySelector(`script[data-for="${plot.id}"]`).textContent);
const PRINTED_PX = 660;
let dark = window.matchMedia("(prefers-color-scheme: dark)").matches;

function swapped(value) {
  if (Array.isArray(value)) return value.map(swapped);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, swapped(inner)]));
  }
  return typeof value === "string" && Object.hasOwn(colours, value) ? colours[value] : value;
}

function draw(plot, width) {
  const figure = source(plot);
  const { data, layout } = dark && !width ? swapped(figure) : figure;
  plot.style.height = `${layout.height}px`; // else it would shrink once the window changes its size
  if (width) Object.assign(layout, { width, autosize: false });
  Plotly.react(plot, data, layout, config);
  plot.dataset.drawn = "1";
}

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting && !entry.target.dataset.drawn) draw(entry.target);
  }
}, { rootMargin: "400px" });
plots.forEach((plot) => seen.observe(plot));

const button = document.getElementById("theme");
function paint() {
  document.documentElement.classList.toggle("dark", dark);
  button.textContent = dark ? "Light" : "Dark";
}
button.addEventListener("click", () => {
  dark = !dark;
  paint();
  for (const plot of plots) if (plot.dataset.drawn) draw(plot);
});
paint();

let closed = [];
window.addEventListener("beforeprint", () => {
  document.documentElement.classList.remove("dark");
  closed = [...document.querySelectorAll("details:not([open])")];
  for (const part of closed) part.open = true;
  for (const plot of plots) draw(plot, PRINTED_PX);
});
window.addEventListener("afterprint", () => {
  for (const part of closed) part.open = false;
  paint();
  for (const plot of plots) draw(plot);
});
