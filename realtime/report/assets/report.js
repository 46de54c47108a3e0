"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;

  // Light or dark: the system's choice until the reader makes one.
  const theme = byId("theme");
  const remember = (value) => { try { localStorage.setItem("onset-theme", value); } catch { /* a file may have no storage */ } };
  const remembered = () => { try { return localStorage.getItem("onset-theme"); } catch { return null; } };
  if (remembered()) root.dataset.theme = remembered();
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    remember(root.dataset.theme);
  });

  // Timeline: zoom, and values under the pointer.
  const chart = byId("chart");
  const startTimeline = () => {
    const scroller = chart.querySelector(".scroller");
    const plot = chart.querySelector(".plot");
    const read = JSON.parse(byId("read-out").textContent);
    const outputs = chart.querySelectorAll(".gutter output");
    const cross = byId("cross");
    const now = byId("now");
    const events = [...chart.querySelectorAll(".mark.event")];
    let zoom = 1;

    const clock = (seconds) => {
      const ticks = Math.round(Math.max(0, seconds) * 100);
      const whole = Math.floor(ticks / 100);
      const pad = (number) => String(number).padStart(2, "0");
      const hours = Math.floor(whole / 3600);
      const minutes = Math.floor(whole / 60) % 60;
      return `${hours ? `${hours}:${pad(minutes)}` : minutes}:${pad(whole % 60)}.${pad(ticks % 100)}`;
    };

    // Of numbers that would lie on one another the first is shown.
    const thinOut = () => {
      let free = -Infinity;
      events.forEach((event) => {
        const middle = event.offsetLeft + event.offsetWidth / 2;
        const tight = middle - 11 < free;
        event.classList.toggle("tight", tight);
        if (!tight) free = middle + 12;
      });
    };

    // The page comes with times for the whole length; a closer look needs more of them.
    const axis = plot.querySelector(".axis");
    const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
    const drawTimes = () => {
      const step = steps.find((one) => read.length / zoom / one <= 10) || read.length / 10;
      const times = [];
      for (let n = Math.ceil(read.start / step); n * step <= read.start + read.length; n += 1) times.push(n * step);
      axis.replaceChildren(...times.map((time) => {
        const label = document.createElement("span");
        label.style.left = `${100 * (time - read.start) / read.length}%`;
        label.textContent = step < 1 ? clock(time) : clock(time).slice(0, -3);
        return label;
      }));
    };

    const zoomTo = (wanted, about) => {
      const limit = Math.max(1, Math.min(64, read.length / 2));
      const before = scroller.scrollLeft + about;
      const next = Math.min(limit, Math.max(1, wanted));
      const place = before / zoom * next - about;
      zoom = next;
      plot.style.setProperty("--zoom", zoom);
      scroller.scrollLeft = place;
      drawTimes();
      thinOut();
    };

    byId("zoom").hidden = false;
    byId("zoom").addEventListener("click", (press) => {
      const how = press.target.dataset.zoom;
      if (how) zoomTo(how === "fit" ? 1 : how === "in" ? zoom * 2 : zoom / 2, scroller.clientWidth / 2);
    });
    scroller.addEventListener("wheel", (turn) => {
      if (!turn.ctrlKey) return;
      turn.preventDefault();
      zoomTo(zoom * Math.exp(-turn.deltaY / 200), turn.clientX - scroller.getBoundingClientRect().left);
    }, { passive: false });

    plot.addEventListener("pointermove", (move) => {
      const box = plot.getBoundingClientRect();
      const share = Math.min(0.999999, Math.max(0, (move.clientX - box.left) / box.width));
      cross.hidden = false;
      cross.style.left = `${100 * share}%`;
      now.textContent = clock(read.start + share * read.length);
      read.lanes.forEach((values, lane) => {
        const value = values[Math.floor(share * values.length)];
        outputs[lane].textContent = value === null || value === undefined ? "–" : value.toFixed(2);
      });
    });
    plot.addEventListener("pointerleave", () => {
      cross.hidden = true;
      now.textContent = "";
      outputs.forEach((output) => { output.textContent = ""; });
    });
    addEventListener("resize", thinOut);
    thinOut();
  };
  if (chart) startTimeline();

  // Events: a link opens its card; j and k go from one to the next.
  const cards = [...document.querySelectorAll(".card")];
  const openTarget = () => {
    const card = location.hash.startsWith("#event-") && byId(location.hash.slice(1));
    if (card) { card.open = true; card.scrollIntoView(); }
  };
  addEventListener("hashchange", openTarget);
  openTarget();
  if (byId("keys")) byId("keys").hidden = false;
  addEventListener("keydown", (press) => {
    if (press.ctrlKey || press.metaKey || press.altKey || !["j", "k"].includes(press.key) || !cards.length || large.open) return;
    const at = cards.findIndex((card) => card.matches(":target"));
    const next = press.key === "j" ? at + 1 : at < 0 ? cards.length - 1 : at - 1;
    if (!cards[next]) return;
    location.hash = cards[next].id;
    cards[next].querySelector("summary").focus({ preventScroll: true });
  });
  addEventListener("beforeprint", () => cards.forEach((card) => { card.open = true; }));

  // A picture enlarged; the arrow keys flip through the others of its event in the same place.
  const large = byId("large");
  let shown = [];
  let place = 0;
  const show = (step) => {
    place = (place + step + shown.length) % shown.length;
    large.querySelector("img").src = shown[place].src;
    large.querySelector("img").alt = shown[place].alt;
    large.querySelector("p").textContent = `${shown[place].alt}. Arrow keys: the others; Escape: back.`;
  };
  document.querySelectorAll(".enlarge").forEach((button) => button.addEventListener("click", () => {
    shown = [...button.closest(".pictures").querySelectorAll(".enlarge img")];
    place = shown.indexOf(button.firstElementChild);
    show(0);
    large.showModal();
  }));
  large.addEventListener("click", () => large.close());
  large.addEventListener("keydown", (press) => {
    if (press.key === "ArrowRight" || press.key === "ArrowLeft") show(press.key === "ArrowRight" ? 1 : -1);
  });

  // Controls of a clip would hide the face: they come with the pointer or the keyboard.
  document.querySelectorAll("video").forEach((video) => {
    video.controls = false;
    video.tabIndex = 0;
    ["pointerenter", "focus"].forEach((name) => video.addEventListener(name, () => { video.controls = true; }));
    ["pointerleave", "blur"].forEach((name) => video.addEventListener(name, () => { video.controls = false; }));
  });

  // Clips play while they are in view, unless the reader wants less motion.
  if ("IntersectionObserver" in window && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
    const watcher = new IntersectionObserver((seen) => seen.forEach(({ target, isIntersecting }) => {
      if (isIntersecting) target.play().catch(() => {}); else target.pause();
    }), { threshold: 0.4 });
    document.querySelectorAll("video").forEach((video) => watcher.observe(video));
  }
})();
