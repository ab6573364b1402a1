/** Reachability while groups are merged, against a search of the whole graph at every question. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createReachability, type Reachability } from '../../../../passes/loop/fuse/reachability.ts'

interface Vertex {
  readonly name: string
}

/** A graph that can be merged, and what is asked of it by walking all of it. */
const graphOf = (n: number, edges: readonly (readonly [number, number])[]) => {
  const vertices: Vertex[] = Array.from({ length: n }, (_, i) => ({ name: `${i}` }))
  const after = new Map<Vertex, Set<Vertex>>(vertices.map((v) => [v, new Set()]))
  for (const [x, y] of edges) after.get(vertices[x]!)!.add(vertices[y]!)
  const before = (v: Vertex): readonly Vertex[] => [...after].flatMap(([u, next]) => (next.has(v) ? [u] : []))
  const reaches = (from: Vertex, to: Vertex, direct: boolean): boolean => {
    const stack = [...after.get(from)!].filter((v) => direct || v !== to)
    const seen = new Set<Vertex>(stack)
    for (let v = stack.pop(); v; v = stack.pop()) {
      if (v === to) return true
      for (const w of after.get(v)!) if (!seen.has(w)) stack.push(w) && seen.add(w)
    }
    return false
  }
  const merge = (a: Vertex, b: Vertex): Vertex => {
    const made: Vertex = { name: `${a.name}+${b.name}` }
    const next = new Set([...after.get(a)!, ...after.get(b)!].filter((v) => v !== a && v !== b))
    after.delete(a)
    after.delete(b)
    for (const s of after.values()) if (s.delete(a) || s.has(b)) s.delete(b) || s.add(made)
    for (const s of after.values()) if (s.has(made)) s.delete(b)
    after.set(made, next)
    return made
  }
  return { vertices, after, before, reaches, merge }
}

const edgesOf = (n: number, picks: readonly number[]): readonly (readonly [number, number])[] =>
  picks.flatMap((p) => {
    const [x, y] = [p % n, Math.floor(p / n) % n]
    return x < y ? [[x, y] as const] : y < x ? [[y, x] as const] : []
  })

const tracked = (g: ReturnType<typeof graphOf>): Reachability<Vertex> => {
  const reach = createReachability<Vertex>({ before: (v) => g.before(v), after: (v) => [...g.after.get(v)!] })
  for (const v of g.vertices) reach.append(v)
  return reach
}

test('says who lies apart, after any merges', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 12 }),
      fc.array(fc.nat(143), { maxLength: 30 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      (n, picks, merges) => {
        const g = graphOf(n, edgesOf(n, picks))
        const reach = tracked(g)
        for (const m of merges) {
          const live = [...g.after.keys()]
          if (live.length < 2) break
          const a = live[m % live.length]!
          const b = live[(m + 1 + (Math.floor(m / 16) % (live.length - 1))) % live.length]!
          const apart = g.reaches(a, b, false) || g.reaches(b, a, true)
          expect(reach.areApart(a, b)).toBe(apart)
          if (apart) continue
          const by: Vertex = { name: '' }
          reach.merge(a, b, by)
          const made = g.merge(a, b)
          g.after.set(by, g.after.get(made)!)
          g.after.delete(made)
          for (const s of g.after.values()) if (s.delete(made)) s.add(by)
        }
      },
    ),
    { seed: 11, numRuns: 500 },
  )
})

test('a new edge is refused where it would close a circle', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 10 }),
      fc.array(fc.nat(99), { maxLength: 20 }),
      fc.array(fc.nat(99), { maxLength: 20 }),
      (n, picks, more) => {
        const g = graphOf(n, edgesOf(n, picks))
        const reach = tracked(g)
        for (const m of more) {
          const [x, y] = [g.vertices[m % n]!, g.vertices[Math.floor(m / n) % n]!]
          if (x === y) continue
          const isFree = !g.reaches(y, x, true)
          expect(reach.connect(x, y)).toBe(isFree)
          if (isFree) g.after.get(x)!.add(y)
        }
      },
    ),
    { seed: 13, numRuns: 500 },
  )
})

test('a chain and a star are merged in steps that do not grow with them', () => {
  const chain = (n: number): number => {
    const after = new Map<number, number>()
    const before = new Map<number, number>()
    for (let i = 0; i + 1 < n; i++) after.set(i, i + 1) && before.set(i + 1, i)
    const one = (x: number | undefined): readonly number[] => (x === undefined ? [] : [x])
    const reach = createReachability<number>({ before: (x) => one(before.get(x)), after: (x) => one(after.get(x)) })
    for (let i = 0; i < n; i++) reach.append(i)
    for (let i = 0; i + 1 < n; i += 2) {
      const by = -1 - i
      expect(reach.areApart(i, i + 1)).toBe(false)
      reach.merge(i, i + 1, by)
      const [p, s] = [before.get(i), after.get(i + 1)]
      if (p !== undefined) after.set(p, by) && before.set(by, p)
      if (s !== undefined) after.set(by, s) && before.set(s, by)
    }
    return reach.visited() / n
  }
  expect(chain(4000)).toBeLessThan(2 * chain(400))
})
