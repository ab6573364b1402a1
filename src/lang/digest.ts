/**
 * Digests of graphs: 128 bits that depend on what a graph computes and on nothing else, neither process nor order of construction. Inputs
 * count by position. For caches of compiled programs, so collisions by accident are excluded, not by malice.
 */
import { invariant } from './errors.ts'
import { type Graph, isGraph, type Node, type Payload } from './ir.ts'
import { topological } from './topological.ts'

/** Four 32-bit words. */
export type Digest = readonly [number, number, number, number]

const rotate = (x: number, r: number): number => (x << r) | (x >>> (32 - r))

const finish = (h: number): number => {
  const a = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  const b = Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
  return b ^ (b >>> 16)
}

const [c1, c2, c3, c4] = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93]

/** MurmurHash3_x86_128 (A. Appleby, public domain) of 32-bit words taken as little-endian bytes. */
export const hashWords = (words: ArrayLike<number>): Digest => {
  let [h1, h2, h3, h4] = [0, 0, 0, 0]
  const blocks = words.length - (words.length % 4)
  for (let i = 0; i < blocks; i += 4) {
    h1 ^= Math.imul(rotate(Math.imul(words[i]!, c1), 15), c2)
    h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0
    h2 ^= Math.imul(rotate(Math.imul(words[i + 1]!, c2), 16), c3)
    h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0
    h3 ^= Math.imul(rotate(Math.imul(words[i + 2]!, c3), 17), c4)
    h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0
    h4 ^= Math.imul(rotate(Math.imul(words[i + 3]!, c4), 18), c1)
    h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0
  }
  const left = words.length - blocks
  if (left > 2) h3 ^= Math.imul(rotate(Math.imul(words[blocks + 2]!, c3), 17), c4)
  if (left > 1) h2 ^= Math.imul(rotate(Math.imul(words[blocks + 1]!, c2), 16), c3)
  if (left > 0) h1 ^= Math.imul(rotate(Math.imul(words[blocks]!, c1), 15), c2)
  const bytes = words.length * 4
  const together = (): void => {
    h1 = (h1 + h2 + h3 + h4) | 0
    h2 = (h2 + h1) | 0
    h3 = (h3 + h1) | 0
    h4 = (h4 + h1) | 0
  }
  ;[h1, h2, h3, h4] = [h1 ^ bytes, h2 ^ bytes, h3 ^ bytes, h4 ^ bytes]
  together()
  ;[h1, h2, h3, h4] = [finish(h1), finish(h2), finish(h3), finish(h4)]
  together()
  return [h1 >>> 0, h2 >>> 0, h3 >>> 0, h4 >>> 0]
}

const float = new Float64Array(1)
const halves = new Uint32Array(float.buffer)
const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

/** Both halves of a number's bits, low first; every NaN is one. */
const pushNumber = (out: number[], x: number): void => {
  float[0] = Number.isNaN(x) ? Number.NaN : x
  out.push(halves[isLittleEndian ? 0 : 1]!, halves[isLittleEndian ? 1 : 0]!)
}

const pushString = (out: number[], s: string): void => {
  out.push(s.length)
  for (let i = 0; i < s.length; i++) out.push(s.charCodeAt(i))
}

/** The digest of numbers, whatever array holds them. */
export const digestNumbers = (values: ArrayLike<number>): Digest => {
  const words = new Uint32Array(2 * values.length)
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!
    float[0] = Number.isNaN(x) ? Number.NaN : x
    words[2 * i] = halves[isLittleEndian ? 0 : 1]!
    words[2 * i + 1] = halves[isLittleEndian ? 1 : 0]!
  }
  return hashWords(words)
}

const contents = new WeakMap<Payload, Digest>()

/** The digest of a large constant's contents, computed once. */
export const payloadDigest = (p: Payload): Digest => {
  const known = contents.get(p)
  if (known) return known
  const digest = digestNumbers(p.array)
  contents.set(p, digest)
  return digest
}

/** Serialisable data as words: tagged, lengths first, record keys in sorted order. */
const pushData = (out: number[], v: unknown): void => {
  if (typeof v === 'number') {
    out.push(1)
    pushNumber(out, v)
  } else if (typeof v === 'string') {
    out.push(2)
    pushString(out, v)
  } else if (typeof v === 'boolean') out.push(3, Number(v))
  else if (Array.isArray(v)) {
    out.push(4, v.length)
    for (const x of v) pushData(out, x)
  } else if (typeof v === 'object' && v !== null) {
    if ('serial' in v) {
      out.push(5, ...payloadDigest(v as Payload))
      return
    }
    if (isGraph(v)) {
      out.push(7, v.inputs.length, v.outputs.length)
      pushData(
        out,
        v.inputs.map(({ params: { shape, dtype } }) => [shape, dtype]),
      )
      for (const d of digestNodes(v)) out.push(...d)
      return
    }
    const keys = Object.keys(v).sort()
    out.push(6, keys.length)
    for (const k of keys) {
      pushString(out, k)
      pushData(out, (v as Record<string, unknown>)[k])
    }
  } else invariant(v === undefined, `params hold a ${typeof v}`)
}

/** Digests of all outputs' nodes, iteratively; `inputs` count by position, other inputs in the order they are reached. */
const digestNodes = ({ inputs, outputs }: Graph): readonly Digest[] => {
  const position = new Map<Node, number>(inputs.map((n, i) => [n, i]))
  const known = new Map<Node, Digest>()
  let free = 0
  for (const n of topological(outputs)) {
    const words: number[] = []
    pushString(words, n.op)
    if (n.op === 'input') {
      const at = position.get(n)
      words.push(at === undefined ? 1 : 0, at ?? free++)
      pushData(words, [n.params.shape, n.params.dtype])
    } else pushData(words, n.params)
    words.push(n.args.length)
    for (const a of n.args) words.push(...known.get(a)!)
    known.set(n, hashWords(words))
  }
  return outputs.map((n) => known.get(n)!)
}

/** A digest as 32 hexadecimal digits. */
export const digestText = (digest: Digest): string => digest.map((w) => w.toString(16).padStart(8, '0')).join('')

/** The digest of a text, as 32 hexadecimal digits. */
export const digestOfText = (text: string): string => {
  const words = new Uint32Array(text.length)
  for (let i = 0; i < text.length; i++) words[i] = text.charCodeAt(i)
  return digestText(hashWords(words))
}

/** The digest of a graph, as 32 hexadecimal digits. */
export const digestGraph = (graph: Graph): string => {
  const words: number[] = []
  pushData(
    words,
    graph.inputs.map(({ params: { shape, dtype } }) => [shape, dtype]),
  )
  for (const d of digestNodes(graph)) words.push(...d)
  return digestText(hashWords(words))
}
