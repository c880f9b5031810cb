// The page's ties to the browser: the address that restores a session, light and dark, the guide that is
// opened once, and a heartbeat, since a page whose Python has died looks as if nothing had happened.
const BEAT_MS = 5000;
const PATIENCE_MS = 30000;
const ADDRESS_MS = 500; // browsers refuse an address that changes all the time, as while a point is dragged

function store(name, value) {
  try {
    if (value === undefined) return localStorage.getItem(`spike2pop-${name}`);
    localStorage.setItem(`spike2pop-${name}`, value);
  } catch {
    // a browser that stores nothing still shows the page
  }
  return null;
}

const KEPT = "Your settings are kept in the address.";
const SILENT = `Python has stopped answering, so this page shows only what it had. If it was held up, it goes on by itself. ${KEPT}`;
const ENDED = `Python has stopped answering: its process has ended, and with it what was not downloaded. ${KEPT}`;
const UNREACHED = "The server does not answer. Start it again, with spike2pop app, and then press this once more.";

let gone = false; // whether Python has left, and what was found with it
const GONE = new Set(["restarting", "autorestarting", "dead"]); // what was computed is gone with it

function heart(model) {
  let heard = performance.now();
  let sent = heard;
  let lost = null;
  const banner = (says) => {
    if (lost) return;
    gone = true;
    lost = document.createElement("div");
    lost.className = "s2p-lost";
    lost.setAttribute("role", "alert");
    const words = document.createElement("span");
    words.textContent = says;
    const again = document.createElement("button");
    again.textContent = "Start again";
    again.addEventListener("click", () => {
      // A browser that finds no server would show a page of its own, and this one would be lost.
      const settings = document.getElementById("jupyter-config-data");
      const { baseUrl } = JSON.parse(settings?.textContent ?? '{"baseUrl": ""}');
      fetch(`${baseUrl}login`, { redirect: "manual" }).then(
        () => window.location.reload(),
        () => { words.textContent = UNREACHED; },
      );
    });
    lost.append(words, again);
    document.body.append(lost);
  };
  const hear = (message) => {
    if (message?.kind !== "beat") return;
    heard = performance.now();
    lost?.remove();
    lost = null;
    gone = false;
  };
  model.on("msg:custom", hear);
  const timer = window.setInterval(() => {
    const now = performance.now();
    // A machine that slept sent nothing, and so has missed no answer.
    if (now - sent > 3 * BEAT_MS) heard = now;
    sent = now;
    try {
      model.send({ kind: "beat" });
    } catch {
      // a closed connection is noticed by the answer that does not come
    }
    if (now - heard > PATIENCE_MS) banner(SILENT);
  }, BEAT_MS);
  // The server notices a death within seconds; what has no such ties is noticed by the silence.
  const died = model.widget_manager?.kernel?.statusChanged;
  const told = (_kernel, status) => GONE.has(status) && banner(ENDED);
  died?.connect(told);
  return () => {
    died?.disconnect(told);
    window.clearInterval(timer);
    model.off("msg:custom", hear);
  };
}

// Buttons that lead to another part of the page, for eyes, keyboard and screen readers alike.
function jump(event) {
  const part = document.querySelector(`.${event.target.closest?.(".s2p-jump")?.dataset.to}`);
  if (!part) return;
  const head = part.querySelector("h2") ?? part;
  head.tabIndex = -1;
  head.focus({ preventScroll: true });
  part.scrollIntoView({ block: "start" });
}

// Parts of others' widgets that have no name, or that only a mouse reaches.
function complete() {
  for (const slider of document.querySelectorAll(".widget-slider")) {
    const label = slider.querySelector("label, .widget-label")?.textContent;
    const handles = slider.querySelectorAll(".noUi-handle:not([aria-label])");
    handles.forEach((handle, i) => {
      handle.setAttribute("aria-label", handles.length > 1 ? `${label}, ${["from", "to"][i]}` : label);
    });
    const readout = slider.querySelector(".widget-readout:not([aria-label])");
    readout?.setAttribute("role", "textbox");
    readout?.setAttribute("aria-label", `${label}, as a number`);
  }
  for (const row of document.querySelectorAll(".s2p-table tbody tr:not([tabindex])")) {
    row.tabIndex = 0;
    row.setAttribute("aria-label", [...row.cells].map((cell) => cell.textContent).join(", "));
  }
}

// Enter chooses a row of the table, Space adds it to the choice or takes it out.
function choose(event) {
  if (!event.target.matches?.(".s2p-table tbody tr") || ![" ", "Enter"].includes(event.key)) return;
  event.preventDefault();
  event.target.cells[0].dispatchEvent(new MouseEvent("click", { bubbles: true, ctrlKey: event.key === " " }));
}

// A number beside a slider may be written with a decimal comma and a true minus, which would end it otherwise.
function plain(event) {
  if (!event.target.matches?.(".widget-readout") || (event.type === "keydown" && event.key !== "Enter")) return;
  const written = event.target.textContent;
  const read = written.replace(/(\d),(\d)/g, "$1.$2").replaceAll("−", "-");
  if (read !== written) event.target.textContent = read;
}

const COMPLETE_MS = 300; // figures change the page all the time

function completed() {
  let later = null;
  const watch = new MutationObserver(() => {
    later ??= window.setTimeout(() => {
      later = null;
      complete();
    }, COMPLETE_MS);
  });
  watch.observe(document.body, { childList: true, subtree: true });
  document.addEventListener("keydown", choose);
  for (const when of ["keydown", "blur"]) document.addEventListener(when, plain, true);
  complete();
  return () => {
    watch.disconnect();
    window.clearTimeout(later);
    document.removeEventListener("keydown", choose);
    for (const when of ["keydown", "blur"]) document.removeEventListener(when, plain, true);
  };
}

function render({ model, el }) {
  el.style.display = "none";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const paint = () => {
    const theme = model.get("theme");
    const on = theme === "dark" || (theme === "auto" && dark.matches);
    // "dark" is what the table's library looks for.
    for (const name of ["s2p-dark", "dark"]) document.documentElement.classList.toggle(name, on);
    if (model.get("dark") !== on) {
      model.set("dark", on);
      model.save_changes();
    }
  };
  const themed = () => {
    store("theme", model.get("theme"));
    paint();
  };
  let written = -ADDRESS_MS;
  let later = null;
  const address = () => {
    window.clearTimeout(later);
    const early = written + ADDRESS_MS - performance.now();
    if (early > 0) {
      later = window.setTimeout(address, early);
      return;
    }
    written = performance.now();
    const fragment = model.get("fragment");
    const now = window.location.hash.slice(1);
    if (fragment !== now) history.replaceState(null, "", fragment ? `#${fragment}` : window.location.pathname);
  };
  const guided = () => model.get("guide") || store("guided", "yes");

  // What was found is gone with the page; browsers ask in words of their own.
  const leave = (event) => model.get("unsaved") && !gone && event.preventDefault();
  const leaving = ["beforeunload", "s2p-leaving"];  // in a notebook, and in the page of its own
  for (const name of leaving) window.addEventListener(name, leave);
  document.addEventListener("click", jump);
  const opened = window.location.hash.slice(1);
  const kept = store("theme");
  if (kept === "light" || kept === "dark") model.set("theme", kept);
  model.set("guide", !store("guided"));
  model.save_changes();
  model.on("change:theme", themed);
  model.on("change:fragment", address);
  model.on("change:guide", guided);
  dark.addEventListener("change", paint);
  paint();
  const rest = heart(model);
  const done = completed();
  model.send({ kind: "start", fragment: opened });
  return () => {
    rest();
    done();
    window.clearTimeout(later);
    dark.removeEventListener("change", paint);
    for (const name of leaving) window.removeEventListener(name, leave);
    document.removeEventListener("click", jump);
    for (const [name, act] of [["theme", themed], ["fragment", address], ["guide", guided]]) {
      model.off(`change:${name}`, act);
    }
  };
}

export default { render };
