// What the browser alone knows of a page: colours as they are drawn, what has the focus, what sticks out, what is foreign.
(() => {
  const everything = function* (node) {
    if (node instanceof Element) yield node;
    const children = node.shadowRoot ? node.shadowRoot.childNodes : (node.childNodes ?? []);
    for (const child of [...children]) yield* everything(child);
  };
  const parentOf = (node) => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host ?? null;
  const seen = (element) => {
    const box = element.getBoundingClientRect();
    const shown = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    return shown && box.width > 1 && box.height > 1;
  };
  const named = (element) => {
    const text = (element.innerText || element.value || element.getAttribute("aria-label") || "").trim();
    const id = element.id ? `#${element.id}` : "";
    return `${element.localName}${id}.${[...element.classList].join(".")} "${text.slice(0, 40)}"`;
  };

  // Contrast as WCAG 2 defines it.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const colour = (text) => {
    if (!known.has(text)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = text;
      canvas.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
      known.set(text, [red, green, blue, alpha / 255]);
    }
    return known.get(text);
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const linear = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ratio = (one, other) => {
    const [more, less] = [light(one), light(other)].sort((a, b) => b - a);
    return (more + 0.05) / (less + 0.05);
  };
  const ground = (element) => {
    const layers = [];
    let faint = 1;
    for (let at = element; at; at = parentOf(at)) {
      const style = getComputedStyle(at);
      faint *= Number(style.opacity);
      // What lies on a picture cannot be judged from colours.
      if (style.backgroundImage !== "none") return null;
      layers.push(colour(style.backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return { faint, behind: layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]) };
  };
  const passedOver = ":disabled, [aria-disabled=true], [aria-hidden=true], script, style, option";
  const unwritten = ["checkbox", "radio", "range", "file"];
  const written = (element) => {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const field = element.matches("input, textarea, select") && element.value && !unwritten.includes(element.type);
    return (own || field) && seen(element) && !element.closest(passedOver);
  };
  const contrast = () => {
    const poor = [];
    for (const element of everything(document.body)) {
      const found = written(element) && ground(element);
      if (!found) continue;
      const style = getComputedStyle(element);
      const [r, g, b, a] = colour(style.color);
      const reached = ratio(over([r, g, b, a * found.faint], found.behind), found.behind);
      const size = parseFloat(style.fontSize);
      const wanted = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
      if (reached < wanted) poor.push(`${named(element)} ${reached.toFixed(2)} of ${wanted} (${style.color})`);
    }
    return poor;
  };

  // The keyboard: what the Tab key has to come to, and where it is now.
  const operated = "a[href], button, input, select, textarea, summary, [tabindex], audio[controls], video[controls]";
  const steppedTo = (element) =>
    element.matches(operated) && element.tabIndex >= 0 && seen(element) && !element.closest(":disabled, [inert]");
  const mark = () => {
    const radios = new Map();
    for (const element of everything(document.body)) {
      delete element.dataset?.reached;
      if (!steppedTo(element)) continue;
      // Of a group of radios one is stepped to; arrows lead on.
      if (element.type === "radio" && element.name) {
        if (radios.has(element.name) && !element.checked) continue;
        delete radios.get(element.name)?.dataset.reached;
        radios.set(element.name, element);
      }
      element.dataset.reached = "no";
    }
    document.activeElement?.blur();
    return missed().length;
  };
  const missed = () => [...everything(document.body)].filter((one) => one.dataset?.reached === "no").map(named);
  const ringed = (element) => {
    const style = getComputedStyle(element);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  };
  const step = () => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    if (!at || at === document.body) return "";
    if (at.dataset.reached === "no") at.dataset.reached = "yes";
    if (!seen(at)) return `${named(at)}: has the focus and cannot be seen`;
    // Gradio draws the ring of a field round the field's frame.
    const frames = [at, at.parentElement, at.closest("label, [class*=wrap]")].filter(Boolean);
    return frames.some(ringed) ? "" : `${named(at)}: no focus ring`;
  };

  const wide = () => {
    const most = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= most) return [];
    const outside = (one) => seen(one) && one.getBoundingClientRect().right > most + 1;
    return ["the page", ...[...everything(document.body)].filter(outside).map(named)];
  };

  // Whatever a browser may fetch or connect to by itself; a link waits for a person.
  const elsewhere = () => {
    const found = [];
    for (const element of everything(document.documentElement)) {
      if (element.localName === "a") continue;
      for (const name of ["src", "href", "srcset", "poster", "data", "action"]) {
        const address = element.getAttribute(name);
        if (!address || /^(data:|blob:|#)/.test(address)) continue;
        if (new URL(address, document.baseURI).host !== location.host) found.push(`${element.localName} ${address}`);
      }
    }
    const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules].map((rule) => rule.cssText));
    const foreign = /(url\(|@import)\s*["']?(https?:)?\/\//;
    return [...found, ...rules.filter((rule) => foreign.test(rule)).map((rule) => rule.slice(0, 120))];
  };

  return { contrast, mark, missed, step, wide, elsewhere };
})()
