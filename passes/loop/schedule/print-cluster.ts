/** The Loop IR as text: a cluster's grid, loops, values and stores, in the order in which they run. */

import type { Atom, Bound, Index, LoopValue, Range } from '../ir/cluster.ts'
import type { Item, Scope } from './nest.ts'
import { type Schedule, stepOf } from './roles.ts'

/** Names of buffers, by their id. */
export type BufferNames = (id: number) => string

const showRange = (r: Range): string => `r${r.id}`

const showAtom = (a: Atom): string => {
  switch (a.kind) {
    case 'range':
      return showRange(a.range)
    case 'value':
      return `v${a.value.id}`
    case 'div':
      return `(${showIndex(a.of)}) / ${a.by}`
    case 'mod':
      return `(${showIndex(a.of)}) % ${a.by}`
  }
}

/** `784*r0 + r2 - 3`. */
export const showIndex = (index: Index): string => {
  const parts = index.terms.map(({ atom, coefficient }) => {
    const scale = Math.abs(coefficient) === 1 ? '' : `${Math.abs(coefficient)}*`
    const text = showAtom(atom)
    const inner = scale !== '' && atom.kind !== 'range' && atom.kind !== 'value' ? `(${text})` : text
    return `${coefficient < 0 ? '- ' : '+ '}${scale}${inner}`
  })
  if (index.constant !== 0 || parts.length === 0)
    parts.push(`${index.constant < 0 ? '- ' : '+ '}${Math.abs(index.constant)}`)
  return parts.join(' ').replace(/^\+ /, '').replace(/^- /, '-')
}

const showBounds = (bounds: readonly Bound[]): string =>
  bounds.map((b) => `${b.low} <= ${showIndex(b.index)} < ${b.high}`).join(' and ')

const names = (vs: readonly LoopValue[]): string => vs.map((v) => `v${v.id}`).join(', ')

/** The definition of one value, `v3 = mul(v1, v2): f32`. */
export const showLoopValue = (v: LoopValue, buffers: BufferNames): string => {
  const body = (): string => {
    switch (v.kind) {
      case 'const':
        return `${v.value}`
      case 'index':
        return showIndex(v.index)
      case 'load':
        return `${buffers(v.buffer.id)}[${showIndex(v.index)}]${v.bounds.length > 0 ? ` where ${showBounds(v.bounds)}` : ''}`
      case 'alu':
        return `${v.op}(${names(v.args)})`
      case 'guard':
        return `v${v.inside.id} where ${showBounds(v.bounds)} else v${v.outside.id}`
      case 'call':
        return `${v.callee.name}(${names(v.args)})`
      case 'threefry':
        return `threefry.${v.word}(${names(v.args)})`
      case 'reduce':
        return `${v.monoid} of ${names(v.values)} over ${v.over.map(showRange).join(', ')}`
    }
  }
  return `v${v.id} = ${body()}: ${v.dtype}`
}

/** A scheduled cluster, one line per item, loops indented. */
export const showSchedule = ({ nest, roles, task, workgroup, skips }: Schedule, buffers: BufferNames): string => {
  const lines: string[] = []
  const role = (r: Range): string => {
    const found = roles.get(r)
    if (!found || stepOf(found) === 1) return ''
    return ` by ${found.unroll > 1 ? `${found.unroll}${found.vector ? '×' : ''}` : ''}${found.vector ? 'vec4' : ''}`
  }
  const only = (r: Range): string => {
    const bounds = skips?.get(r)
    return bounds ? ` where ${showBounds(bounds)}` : ''
  }
  const loop = (s: Scope, indent: string, isReduced = false): void => {
    const inner = s.range ? `${indent}  ` : indent
    if (s.range)
      lines.push(
        `${indent}for ${showRange(s.range)} < ${s.range.size}${role(s.range)}${isReduced ? only(s.range) : ''}`,
      )
    for (const item of s.items) show(item, inner, isReduced)
  }
  const show = (item: Item, indent: string, isReduced: boolean): void => {
    switch (item.kind) {
      case 'value':
        lines.push(indent + showLoopValue(item.value, buffers))
        break
      case 'reduce':
        for (const { reduce } of item.accumulations) lines.push(indent + showLoopValue(reduce, buffers))
        loop(item.body, indent, true)
        break
      case 'loop':
        loop(item.body, indent, isReduced)
        break
      case 'first':
        lines.push(`${indent}at the first of ${item.first.map(showRange).join(', ')}`)
        loop(item.body, `${indent}  `)
        break
      case 'keep':
        lines.push(`${indent}keep v${item.packed.value.id}`)
        break
      case 'stage':
        lines.push(`${indent}stage ${names(item.values)}`)
        break
      case 'accumulate':
        lines.push(`${indent}accumulate ${item.accumulations.map((a) => `v${a.reduce.id}`).join(', ')}`)
        break
      case 'store':
        lines.push(
          `${indent}${buffers(item.store.buffer.id)}[${showIndex(item.store.index)}] = v${item.store.value.id}`,
        )
    }
  }
  lines.push(`grid ${nest.grid.map((r) => `${showRange(r)} < ${r.size}${role(r)}`).join(', ') || 'of one'}`)
  if (task) lines.push(`a task takes ${task.run} tiles of ${showRange(task.range)}`)
  if (workgroup?.tile) {
    const { along, over, slab } = workgroup.tile
    const tile = [...along].map(([r, n]) => `${n} along ${showRange(r)}`).join(', ')
    lines.push(`${workgroup.threads} invocations take a tile, ${tile}, ${slab} steps of ${showRange(over)} at a time`)
  } else if (workgroup) lines.push(`${workgroup.threads} invocations take a point together`)
  loop(nest.body, '  ')
  return lines.join('\n')
}
