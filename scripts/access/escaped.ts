/** Text as HTML and its attributes take it. */
export const escaped = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, '�').replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
