/**
 * Equal kernels share a pipeline: kernels that are equal but for offsets, sizes and bounds become one, which reads what
 * differs as words. The steps of an unrolled recurrence, each at its own slice, are such kernels.
 */
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, Kernel } from '../kernel/kernel.ts'
import { textSizeOf } from '../kernel/text-limits.ts'
import { type Offset, rememberOriginal, replaceOffsets } from '../kernel/words.ts'

/** The kernel that runs for another, and the words that it is given. */
export interface Shared {
  readonly kernel: number
  readonly words?: readonly number[]
}

/** A kernel without its offsets: equal keys mean that kernels differ in `offsets` only. */
interface Outline {
  readonly key: string
  readonly offsets: readonly number[]
}

const outlines = new WeakMap<Kernel, Outline>()

const outlineOf = (kernel: Kernel): Outline => {
  const known = outlines.get(kernel)
  if (known) return known
  const offsets: number[] = []
  const blank = k.word(0)
  const bare = replaceOffsets(kernel, (e) => {
    offsets.push((e as Extract<Offset, { readonly kind: 'lit' }>).value)
    return blank
  })
  const key = JSON.stringify({ ...bare, name: '' }, (_, v) =>
    typeof v === 'number' && !Number.isFinite(v) ? `${v}` : Object.is(v, -0) ? '-0' : v,
  )
  const outline = { key, offsets }
  outlines.set(kernel, outline)
  return outline
}

/** What is cheap to compare: kernels that differ in it differ in more than offsets. */
const lookOf = (k: Kernel): string => {
  const { nesting, statements } = textSizeOf(k)
  return `${k.workgroupSize} ${nesting} ${statements} ${k.bindings.map((b) => `${b.element.width}${b.access}`)}`
}

/** The most words of a kernel; past that, they cost more than a pipeline. */
const maxWords = 64

/** One word for all offsets that move together: how it stands at each place is the word and a constant. */
interface Words {
  /** Per offset, its word and what is added to it; undefined where all kernels agree. */
  readonly at: readonly ({ readonly word: number; readonly plus: number } | undefined)[]
  /** Per kernel, the words it is given. */
  readonly given: readonly (readonly number[])[]
}

const wordsFor = (offsets: readonly (readonly number[])[]): Words => {
  const [first] = offsets
  const numbers = new Map<string, { readonly word: number; readonly at: number }>()
  const at = first!.map((base, i) => {
    const moves = offsets.map((o) => o[i]! - base)
    if (moves.every((m) => m === 0)) return undefined
    const key = moves.join()
    const known = numbers.get(key) ?? { word: numbers.size, at: i }
    numbers.set(key, known)
    return { word: known.word, plus: base - first![known.at]! }
  })
  const places = [...numbers.values()]
  return { at, given: offsets.map((o) => places.map((p) => o[p.at]!)) }
}

const wordAt = ({ word, plus }: { readonly word: number; readonly plus: number }): KExpr =>
  plus < 0 ? k.sub(k.word(word), k.u32(-plus)) : k.add(k.word(word), k.u32(plus))

/** The kernel of which `kernel` is an instance. */
const generic = (kernel: Kernel, { at, given }: Words): Kernel => {
  let i = 0
  const shared = replaceOffsets(kernel, (e) => {
    const place = at[i++]
    return place ? wordAt(place) : e
  })
  return { ...shared, words: given[0]!.length }
}

/** The distinct kernels among `kernels`, of which those that differ in offsets only are one. */
export const shareKernels = (
  kernels: readonly Kernel[],
): { readonly kernels: readonly Kernel[]; readonly of: readonly Shared[] } => {
  const groups = new Map<string, number[]>()
  const alike = new Map<string, number>()
  for (const look of [...new Set(kernels)].map(lookOf)) alike.set(look, (alike.get(look) ?? 0) + 1)
  const own = new Map<Kernel, string>()
  kernels.forEach((kernel, i) => {
    const look = lookOf(kernel)
    // One that is given words already is itself alone.
    if (kernel.words !== undefined) own.set(kernel, own.get(kernel) ?? `own ${own.size}`)
    const key = own.get(kernel) ?? (alike.get(look) === 1 ? look : outlineOf(kernel).key)
    const group = groups.get(key)
    if (group) group.push(i)
    else groups.set(key, [i])
  })
  const made: Kernel[] = []
  const of: Shared[] = []
  for (const group of groups.values()) {
    if (new Set(group.map((i) => kernels[i])).size === 1) {
      for (const i of group) of[i] = { kernel: made.length }
      made.push(kernels[group[0]!]!)
      continue
    }
    const distinct = new Map(group.map((i) => [outlineOf(kernels[i]!).offsets.join(), i]))
    const words = wordsFor([...distinct.values()].map((i) => outlineOf(kernels[i]!).offsets))
    const isShared = distinct.size > 1 && words.given[0]!.length <= maxWords
    const numbers = new Map([...distinct.keys()].map((key, n) => [key, isShared ? made.length : made.length + n]))
    const given = new Map([...distinct.keys()].map((key, n) => [key, words.given[n]!]))
    if (isShared) {
      const shared = generic(kernels[group[0]!]!, words)
      for (const [key, i] of distinct) rememberOriginal(shared, given.get(key)!, kernels[i]!)
      made.push(shared)
    } else for (const i of distinct.values()) made.push(kernels[i]!)
    for (const i of group) {
      const key = outlineOf(kernels[i]!).offsets.join()
      of[i] = { kernel: numbers.get(key)!, ...(isShared ? { words: given.get(key)! } : {}) }
    }
  }
  return { kernels: made, of }
}
