"use strict";
(() => {
  const root = document.documentElement;
  const walks = [...document.querySelectorAll("article")].map((node) => ({
    node,
    start: Number(node.dataset.start),
    items: [...node.querySelectorAll("li")],
    caption: node.querySelector(".caption"),
    slider: node.querySelector("input"),
    select: node.querySelector("select"),
    layers: [...node.querySelectorAll("g[data-s]")].map((layer) => ({
      layer,
      shown: layer.dataset.s.split(" ").map((span) => span.split("-").map(Number)),
    })),
  }));
  let branch = 0;
  let step = 0;
  let playing = 0;

  const within = (value, most) => Math.max(0, Math.min(most, value || 0));

  const show = (toBranch, toStep) => {
    branch = within(toBranch, walks.length - 1);
    const walk = walks[branch];
    step = within(toStep, walk.items.length - 1);
    walks.forEach((each) => { each.node.hidden = each !== walk; });
    for (const { layer, shown } of walk.layers) {
      layer.classList.toggle("on", shown.some(([first, last = first]) => first <= step && step <= last));
    }
    walk.items.forEach((item) => item.removeAttribute("aria-current"));
    const item = walk.items[step];
    item.setAttribute("aria-current", "step");
    item.scrollIntoView({ block: "nearest" });
    walk.caption.replaceChildren(...[...item.children].map((child) => child.cloneNode(true)));
    walk.slider.value = step;
    if (walk.select) walk.select.selectedIndex = branch;
    try {
      history.replaceState(null, "", `#${branch + 1}.${step}`);
    } catch { /* a frame without an address of its own */ }
  };

  const find = (from, by, wanted) => {
    const items = walks[branch].items;
    for (let at = from + by; at >= 0 && at < items.length; at += by) if (wanted(items[at])) return at;
    return by > 0 ? items.length - 1 : 0;
  };
  const isDecision = (item) => "d" in item.dataset || item.dataset.way === undefined;
  const pause = () => { clearInterval(playing); playing = 0; };

  const deeds = {
    next: () => show(branch, step + 1),
    back: () => show(branch, step - 1),
    first: () => show(branch, 0),
    last: () => show(branch, Infinity),
    on: () => show(branch, find(step, 1, isDecision)),
    before: () => show(branch, find(step, -1, isDecision)),
    turn: () => {
      const other = walks[branch].items[step].dataset.way === "reply" ? "forward" : "reply";
      const at = walks[branch].items.findIndex((item) => item.dataset.way === other);
      if (at >= 0) show(branch, at);
    },
    branch: () => show((branch + 1) % walks.length, 0),
    play: () => {
      if (playing) return pause();
      if (step === walks[branch].items.length - 1) show(branch, 0);
      playing = setInterval(() => {
        if (step === walks[branch].items.length - 1) pause(); else show(branch, step + 1);
      }, 1200);
    },
    wide: () => root.classList.toggle("wide"),
    theme: () => {
      const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = isDark ? "light" : "dark";
    },
    help: () => root.classList.toggle("help"),
  };
  const keys = {
    ArrowRight: "next", l: "next", n: "next", PageDown: "next", ArrowLeft: "back", h: "back", PageUp: "back",
    ArrowDown: "next", j: "next", ArrowUp: "back", k: "back",
    Home: "first", g: "first", End: "last", G: "last", ".": "on", ",": "before",
    r: "turn", Y: "turn", b: "branch", " ": "play", z: "wide", t: "theme", "?": "help",
  };
  const go = () => {
    const wanted = /^#(\d+)\.(\d+)$/.exec(location.hash);
    if (wanted) show(wanted[1] - 1, Number(wanted[2])); else show(0, walks[0].start);
  };

  document.addEventListener("keydown", (event) => {
    const deed = keys[event.key];
    if (!deed || event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select")) return;
    if (event.key === " " && event.target.closest("button")) return;
    event.preventDefault();
    if (deed !== "play") pause();
    deeds[deed]();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) {
      if (button.dataset.deed !== "play") pause();
      deeds[button.dataset.deed]();
    }
  });
  document.addEventListener("input", (event) => {
    pause();
    if (event.target.matches("select")) show(event.target.selectedIndex, 0);
    else show(branch, Number(event.target.value));
  });
  window.addEventListener("hashchange", () => { pause(); go(); });
  root.classList.add("js");
  go();
})();
