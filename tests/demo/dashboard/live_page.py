"""What is read off the live view's page: its own figures, and the pixels of its canvases."""

FIGURES = "document.querySelector('onset-live').figures()"
CURVE_COLOURS = """() => {
  const canvas = document.querySelector("onset-live").shadowRoot.querySelector("canvas.curves");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = {};
  for (let place = 0; place < data.length; place += 4) {
    if (data[place + 3] < 200) continue;
    const colour = [data[place], data[place + 1], data[place + 2]].map((one) => one >> 4).join();
    found[colour] = (found[colour] ?? 0) + 1;
  }
  return found;
}"""
PREVIEW_COLOUR = """([x, y]) => {
  const canvas = document.querySelector("onset-live").shadowRoot.querySelector("canvas.preview");
  const { width, height } = canvas;
  const scale = Math.min(width / 640, height / 480);
  const left = (width - 640 * scale) / 2 + x * scale;
  const top = (height - 480 * scale) / 2 + y * scale;
  return [...canvas.getContext("2d").getImageData(left, top, 1, 1).data];
}"""
