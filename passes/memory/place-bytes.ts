/** Arithmetic on places: the bytes a binding or a buffer holds of one, and whether two of them overlap. */
import { alignDown, alignUp, ceilDiv, floorDiv } from '../../src/lang/dim.ts'
import { largestBuffer, type Profile } from '../profile.ts'
import type { Place } from './places.ts'

/** Buffers, places and bindings are whole numbers of these bytes: the size of a vec4 of words. */
export const vectorBytes = 16

/** `bytes` as whole vectors, and at least one: an empty buffer cannot be bound. */
export const wholeVectors = (bytes: number): number => Math.max(vectorBytes, alignUp(bytes, vectorBytes))

/** The size a place is bound with. */
export const boundBytes = (p: Place): number => wholeVectors(p.bytes)

/** The first offset from `offset` on where a tensor of `bytes` can start in buffers of `buffer` bytes. */
export const fitOffset = (offset: number, bytes: number, buffer: number): number => {
  const start = alignDown(offset, buffer)
  return offset === start || offset + bytes <= start + buffer ? offset : start + buffer
}

/** Whether a place lies in one of the buffers of `buffer` bytes that its arena is cut into. */
export const isInOneBuffer = ({ offset, bytes }: Place, buffer: number): boolean =>
  floorDiv(offset, buffer) === floorDiv(offset + bytes - 1, buffer)

/** The sizes of the buffers behind an arena of `arena` bytes, in a row. */
export const buffersBehind = (arena: number, profile: Profile): readonly number[] => {
  const [bytes, most] = [wholeVectors(arena), largestBuffer(profile)]
  return Array.from({ length: ceilDiv(bytes, most) }, (_, i) => Math.min(most, bytes - i * most))
}

/** `arena:offset+bytes`. */
export const showPlace = ({ arena, offset, bytes }: Place): string => `${arena}:${offset}+${bytes}`

/** Whether two places share a byte. */
export const overlaps = (a: Place, b: Place): boolean =>
  a.arena === b.arena && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes

/** Whether `inner` lies in `outer`. */
export const covers = (outer: Place, inner: Place): boolean =>
  outer.arena === inner.arena &&
  outer.offset <= inner.offset &&
  inner.offset + inner.bytes <= outer.offset + outer.bytes
