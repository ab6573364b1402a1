/** Names that users give, in texts that others read line by line: nothing in a name may end a line, or change how one looks. */

/** Control characters, line and paragraph separators, halves of surrogate pairs, and what turns the direction of writing. */
const invisible = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu

/** `text` on one line: what does not show is written by its number, as JSON may write it. */
export const visible = (text: string): string =>
  text.replace(invisible, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

/**
 * `text` as a string literal of JSON, JavaScript and TypeScript, on one line in all of them, which does not end a script that
 * it stands in.
 */
export const quoted = (text: string): string => visible(JSON.stringify(text)).replace(/<(?=[/!])/g, '\\u003c')
