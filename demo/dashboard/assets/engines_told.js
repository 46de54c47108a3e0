// What the machine says of itself, in English as on the command line, in the browser's language where it is known.
import { language, words } from "./words.js";

const texts = language === "en" ? {} : await (await fetch("/onset/words.json")).json();
const plain = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** Longest first: a short sentence may be a part of a long one. */
const patterns = Object.keys(texts)
  .filter((key) => key.startsWith("engines.told."))
  .sort((one, other) => texts[other].en.length - texts[one].en.length)
  .map((key) => {
    const english = texts[key].en;
    const names = [...english.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    return { key, names, expression: new RegExp(english.split(/\{\w+\}/).map(plain).join("([^;:()]+?)"), "g") };
  });

/** A sentence with every part of it that has a translation replaced. */
export function told(sentence) {
  let said = sentence;
  for (const { key, names, expression } of patterns) {
    said = said.replace(expression, (...found) => words(key, Object.fromEntries(names.map((name, place) => [name, found[place + 1]]))));
  }
  return said;
}
