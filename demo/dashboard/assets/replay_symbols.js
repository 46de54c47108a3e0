// Signs of the replay view: filled shapes of 24 × 24 in the colour of the text.
const SHAPES = {
  play: '<path d="M7 4.5v15a1 1 0 0 0 1.5.86l12-7.5a1 1 0 0 0 0-1.72l-12-7.5A1 1 0 0 0 7 4.5z"/>',
  pause: '<rect x="6" y="4.5" width="4.2" height="15" rx="1"/><rect x="13.8" y="4.5" width="4.2" height="15" rx="1"/>',
  back: '<rect x="5" y="5" width="2.6" height="14" rx="1"/><path d="M19 6v12a.8.8 0 0 1-1.25.66l-8.5-6a.8.8 0 0 1 0-1.32l8.5-6A.8.8 0 0 1 19 6z"/>',
  forward: '<rect x="16.4" y="5" width="2.6" height="14" rx="1"/><path d="M5 6v12a.8.8 0 0 0 1.25.66l8.5-6a.8.8 0 0 0 0-1.32l-8.5-6A.8.8 0 0 0 5 6z"/>',
  previous: '<path d="M12 6v12a.8.8 0 0 1-1.25.66l-8.5-6a.8.8 0 0 1 0-1.32l8.5-6A.8.8 0 0 1 12 6z"/><path d="M22 6v12a.8.8 0 0 1-1.25.66l-8.5-6a.8.8 0 0 1 0-1.32l8.5-6A.8.8 0 0 1 22 6z"/>',
  next: '<path d="M12 6v12a.8.8 0 0 0 1.25.66l8.5-6a.8.8 0 0 0 0-1.32l-8.5-6A.8.8 0 0 0 12 6z"/><path d="M2 6v12a.8.8 0 0 0 1.25.66l8.5-6a.8.8 0 0 0 0-1.32l-8.5-6A.8.8 0 0 0 2 6z"/>',
  larger: '<path d="M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z"/>',
  smaller: '<path d="M5 11h14v2H5z"/>',
  whole: '<path d="M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z"/>',
  close: '<path d="m6.4 5 5.6 5.6L17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z"/>',
};

/** A sign; hidden from screen readers, the label of its button speaks. */
export function symbol(name) {
  const holder = document.createElement("template");
  holder.innerHTML = `<svg viewBox="0 0 24 24" width="18" height="18" fill="currentColor" aria-hidden="true">${SHAPES[name]}</svg>`;
  return holder.content.firstChild;
}
