// Counting words: what the application is for. Pure.

/** The words of `text`, how many of them differ, and how long reading takes in seconds. */
export function count(text) {
  const words = text.toLowerCase().match(/[\p{L}\p{N}'’-]+/gu) ?? [];
  return {
    words: words.length,
    different: new Set(words).size,
    characters: [...text].length,
    seconds: Math.ceil((words.length / 230) * 60),
  };
}
