/** What a list of steps has room for: whoever cuts work into steps must know, also where no threads are. */

/** Steps that the list has room for; older ones are written over. */
export const mostSteps = 256

/** Words for the addresses of bindings of all steps of a list. */
export const mostAddresses = 16384

/** Bits of the ticket that count chunks; the others are the number of the step. */
export const chunkBits = 12
export const mostChunks: number = 2 ** chunkBits - 1
