/** Arithmetic on places: the bytes a binding of one covers, and whether two of them overlap. */
import { alignDown, alignUp } from '../../src/lang/dim.ts'
import type { Profile } from '../profile.ts'
import type { Place } from './places.ts'

/** Buffers, places and bindings are whole numbers of these bytes: the size of a vec4 of words. */
export const vectorBytes = 16

/** `bytes` as whole vectors, and at least one: an empty buffer cannot be bound. */
export const wholeVectors = (bytes: number): number => Math.max(vectorBytes, alignUp(bytes, vectorBytes))

/** The size a place is bound with. */
export const boundBytes = (p: Place): number => wholeVectors(p.bytes)

/** The most bytes of a larger place that one binding can hold: the next part starts where a binding may start. */
export const largestPart = (profile: Profile): number => alignDown(profile.maxBindingBytes, profile.offsetAlignment)

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
