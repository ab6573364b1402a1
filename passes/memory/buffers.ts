/** How large the pieces of memory are that a target grants: bindings, and the buffers behind an arena. */
import type { Profile } from '../profile.ts'

/** Bytes that one binding shows at most, in whole steps of the alignment. */
export const partBytes = ({ maxBindingBytes, maxBufferBytes, offsetAlignment }: Profile): number =>
  Math.max(1, Math.floor(Math.min(maxBindingBytes, maxBufferBytes) / offsetAlignment)) * offsetAlignment

/**
 * Bytes of one buffer: an arena is a row of buffers of this size, the last one shorter. No tensor lies across the end of
 * one unless it is larger than a buffer; then it starts where one starts, so that its parts do not lie across either.
 */
export const bufferBytes = (profile: Profile): number => {
  const part = partBytes(profile)
  return Math.max(1, Math.floor(profile.maxBufferBytes / part)) * part
}

/** The first offset from `offset` on where a tensor of `bytes` can start. */
export const fitOffset = (offset: number, bytes: number, buffer: number): number => {
  const start = Math.floor(offset / buffer) * buffer
  return offset === start || offset + bytes <= start + buffer ? offset : start + buffer
}
