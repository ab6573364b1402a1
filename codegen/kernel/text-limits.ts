/**
 * What every compiler of kernels accepts: how deep statements and expressions nest, how long a text is, how many bytes
 * variables take. WGSL names 127 levels and 8,192 bytes; compilers recurse over expressions; seconds go into long texts.
 */
import { elementBytes } from './element-bytes.ts'
import type { KExpr, Kernel, KStmt } from './kernel.ts'
import { blocksIn, expressionsOf, operandsOf } from './parts.ts'

/** The size of a kernel's text. */
export interface TextSize {
  /** Blocks inside one another, that of the function included. */
  readonly nesting: number
  readonly statements: number
  /** Operations inside one another. */
  readonly depth: number
  /** Of all variables and arrays of one invocation. */
  readonly bytes: number
}

/** The most of each. */
export const textLimits: TextSize = { nesting: 100, statements: 20_000, depth: 100, bytes: 8192 }

const names: { readonly [K in keyof TextSize]: string } = {
  nesting: 'levels of nesting',
  statements: 'statements',
  depth: 'levels of an expression',
  bytes: 'bytes of variables',
}

/** Depth by depth, so that no expression is too deep for the walk itself. */
const depthOf = (e: KExpr): number => {
  let depth = 0
  for (let level: readonly KExpr[] = [e]; level.length > 0; level = level.flatMap(operandsOf)) depth++
  return depth
}

const sizes = new WeakMap<Kernel, TextSize>()

/** The size of a kernel, worked out once. */
export const textSizeOf = (kernel: Kernel): TextSize => {
  const known = sizes.get(kernel)
  if (known) return known
  let [nesting, statements, depth] = [0, 0, 0]
  let bytes = kernel.arrays.reduce((n, a) => n + (a.space === 'private' ? a.size * elementBytes(a.element) : 0), 0)
  for (let level: readonly (readonly KStmt[])[] = [kernel.body]; level.length > 0; ) {
    nesting++
    const below: (readonly KStmt[])[] = []
    for (const block of level) {
      for (const s of block) {
        statements++
        if (s.kind === 'var') bytes += elementBytes(s.type)
        for (const e of expressionsOf(s)) depth = Math.max(depth, depthOf(e))
        for (const inner of blocksIn(s)) if (inner.length > 0) below.push(inner)
      }
    }
    level = below
  }
  const size = { nesting, statements, depth, bytes }
  sizes.set(kernel, size)
  return size
}

/** The first limit that a kernel's text exceeds. */
export const overText = (
  kernel: Kernel,
): { readonly what: string; readonly needed: number; readonly limit: number } | undefined => {
  const size = textSizeOf(kernel)
  for (const key of ['nesting', 'statements', 'depth', 'bytes'] as const)
    if (size[key] > textLimits[key])
      return { what: `${names[key]} in one kernel`, needed: size[key], limit: textLimits[key] }
  return undefined
}
