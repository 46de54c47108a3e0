// The words of the dashboard in the browser's language, fetched once.
const language = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
const all = await (await fetch("/onset/words.json")).json();

/** The text of a key; {name} is replaced by values.name. A key without a text is shown itself, so that it is noticed. */
export function words(key, values = {}) {
  const text = all[key]?.[language] ?? all[key]?.en ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Whether a key has a text: codes from the pipeline may be newer than the words. */
export const known = (key) => key in all;

export { language };
