/** Spelling of headings and indents on the terminal. */

/** Bold on a terminal, plain in pipes and where NO_COLOR asks for it (no-color.org: any value but the empty one). */
export const heading = (text: string): string =>
  process.stdout.isTTY && !process.env['NO_COLOR'] ? `\u001b[1m${text}\u001b[0m` : text

/** Every line of `text` moved right. */
export const indent = (text: string, by = '  '): string => text.replace(/^(?=.)/gm, by)
