/** The command line as a user of a terminal or a pipe meets it: help, version, exit codes, explain, devices. */
import { describe, expect, it } from 'vitest'
import { graphPipeline } from '../../passes/pipeline.ts'
import type { DeviceReport } from '../../src/cli/devices.ts'
import { fixture, tensorloom } from './command.ts'

describe('the command line', () => {
  it.each([
    [['--help'], 0, /Usage: tensorloom [\s\S]*build [\s\S]*explain[\s\S]*devices/, /^$/],
    [['build', '--help'], 0, /--out <dir>[\s\S]*--profile <name>[\s\S]*"portable"/, /^$/],
    [['--version'], 0, /^\d+\.\d+\.\d+\n$/, /^$/],
    [[], 2, /^$/, /Usage: tensorloom/],
    [['unknown'], 2, /^$/, /unknown command 'unknown'/],
    [['build', '--out', 'x'], 2, /^$/, /missing required argument 'file'/],
    [['build', 'a.ts'], 2, /^$/, /required option '--out <dir>' not specified/],
    [['build', 'a.ts', '--out', 'x', '--profile', 'none'], 2, /^$/, /'none' is invalid. Allowed choices are portable/],
    [
      ['build', fixture('mlp.ts'), '--out', 'x', '--target', 'tpu'],
      2,
      /^$/,
      /no target is named 'tpu'; there are webgpu, cpu/,
    ],
    [['build', '.', '--out', 'x'], 1, /^$/, /there is no such file/],
    [['build', fixture('names.mjs'), '--out', 'x'], 1, /^$/, /export \.\.\/evil cannot be the name of a file/],
    [
      ['explain', fixture('mlp.ts'), '--export', 'use', '--profile', 'cpu'],
      0,
      /^use for the cpu profile(?!.*@compute)/s,
      /^$/,
    ],
    [
      ['explain', fixture('user-code.ts'), '--profile', 'cpu'],
      0,
      /\n +runs by the JavaScript reference of the user’s code in it\n/,
      /^$/,
    ],
    [['explain', 'a.ts', '--frobnicate'], 2, /^$/, /unknown option '--frobnicate'/],
    [
      ['explain', fixture('mlp.ts'), '--export', 'nothing'],
      1,
      /^$/,
      /no program named nothing; it exports notes, train, use/,
    ],
  ])('%j', async (args, code, stdout, stderr) => {
    const done = await tensorloom(args)
    expect(done.code).toBe(code)
    expect(done.stdout).toMatch(stdout)
    expect(done.stderr).toMatch(stderr)
  })
})

interface Explained {
  readonly programs: readonly {
    readonly name: string
    readonly stages: readonly {
      readonly name: string
      readonly nodes: number
      readonly changed: boolean
      readonly graph?: string
    }[]
    readonly graph: string
    readonly kernels: readonly {
      readonly name: string
      readonly wgsl: string
      readonly stores: readonly string[]
      readonly reads: readonly string[]
      readonly bytes: number
      readonly flops: number
      readonly times: number
      readonly isOpen: boolean
    }[]
    readonly repeats: readonly { readonly first: number; readonly last: number; readonly times: number | null }[]
    readonly boundaries: readonly { readonly from: number; readonly to: number; readonly reason: string }[]
    readonly prediction: Readonly<Record<string, number>>
    readonly arenas: readonly number[]
    readonly memory: readonly {
      readonly what: string
      readonly arena: number
      readonly offset: number
      readonly bytes: number
    }[]
  }[]
}

describe('tensorloom explain', () => {
  it('says as JSON what passes, kernels, boundaries and memory are, and the figures agree', async () => {
    const { code, stdout } = await tensorloom(['explain', fixture('mlp.ts'), '--json'])
    expect(code).toBe(0)
    const { programs } = JSON.parse(stdout) as Explained
    expect(programs.map((p) => p.name)).toEqual(['train', 'use'])
    for (const p of programs) {
      expect(p.stages.map((s) => s.name)).toEqual(['trace', ...graphPipeline().map((pass) => pass.name)])
      const last = p.stages[p.stages.length - 1]!
      expect(p.graph.match(/^ {2}%\d+ = |%\d+: /gm)).toHaveLength(last.nodes)
      const sum = (of: (k: (typeof p.kernels)[number]) => number): number => p.kernels.reduce((n, k) => n + of(k), 0)
      expect(p.prediction).toMatchObject({
        dispatches: p.kernels.length,
        bytes: sum((k) => k.bytes),
        flops: sum((k) => k.flops),
      })
      expect(p.prediction['peakBytes']).toBe(p.arenas.reduce((a, b) => a + b, 0))
      for (const m of p.memory) expect(m.offset + m.bytes).toBeLessThanOrEqual(p.arenas[m.arena]!)
      // Every value that passes from one dispatch to another is a boundary with a reason.
      p.kernels.forEach((k, to) => {
        p.kernels.slice(0, to).forEach((q, from) => {
          if (!k.reads.some((r) => q.stores.includes(r))) return
          const found = p.boundaries.find((b) => b.from === from && b.to === to)
          expect([from, to, found?.reason]).toEqual([from, to, expect.stringMatching(/.../)])
        })
      })
      for (const k of p.kernels) expect(k.wgsl).toContain('@compute')
    }
  })

  it('shows the graph after every pass that changed it', async () => {
    const { stdout } = await tensorloom(['explain', fixture('mlp.ts'), '--export', 'train', '--passes', '--json'])
    const [train] = (JSON.parse(stdout) as Explained).programs
    const changed = train!.stages.filter((s) => s.changed)
    expect(changed.length).toBeGreaterThan(1)
    expect(train!.stages.filter((s) => s.graph !== undefined)).toEqual(changed)
    expect(changed[changed.length - 1]!.graph).toBe(train!.graph)
    expect(changed[0]!.graph).not.toBe(train!.graph)
  })

  it('says the same as text, without colour in a pipe', async () => {
    const { code, stdout, stderr } = await tensorloom(['explain', fixture('mlp.ts'), '--export', 'train'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).not.toContain('\u001b')
    expect(stdout).toMatch(/^train for the portable profile: \d+ dispatches, 1 submit, /)
    for (const title of ['passes', 'graph', 'kernels', 'not fused', 'memory'])
      expect(stdout).toMatch(new RegExp(`^${title}$`, 'm'))
    expect(stdout).toContain('takes the place of [0].params.w1')
    expect(stdout).not.toMatch(/^use for/m)
  })
})

describe('tensorloom explain on loops and routines', () => {
  it('says which dispatches are repeated, names their insides, and numbers boundaries by dispatch', async () => {
    const { code, stdout } = await tensorloom(['explain', fixture('loops.ts'), '--json'])
    expect(code).toBe(0)
    const { programs } = JSON.parse(stdout) as Explained
    expect(programs.map((p) => p.name)).toEqual(['settle', 'train', 'twice'])
    const [settle, train, twice] = programs
    for (const { kernels, boundaries, prediction } of programs) {
      const sum = (of: (k: (typeof kernels)[number]) => number): number =>
        kernels.reduce((n, k) => n + k.times * of(k), 0)
      expect(prediction).toMatchObject({ dispatches: sum(() => 1), bytes: sum((k) => k.bytes) })
      for (const k of kernels) expect([...k.reads, ...k.stores].join(' ')).not.toMatch(/%\?|undefined/)
      for (const { from, to, reason } of boundaries) {
        expect(from).toBeLessThan(to)
        expect(to).toBeLessThan(kernels.length)
        expect(reason).not.toBe('')
      }
    }
    // Nine turns: one by itself, then four times two.
    expect(train!.repeats.map((r) => r.times)).toEqual([4])
    const [loop] = train!.repeats
    const [before, after] = [loop!.first - 1, loop!.last + 1]
    const inside = train!.kernels.slice(before, after)
    expect(inside.map((k) => k.times)).toEqual([1, 4, 4])
    for (const k of inside) expect(k.stores).toContainEqual(expect.stringMatching(/^next carry 0 of %\d+$/))
    expect(train!.kernels[after]!.times).toBe(1)
    // What reads the loop's results waits for its last dispatch, not for its first.
    expect(train!.boundaries).toContainEqual(expect.objectContaining({ from: loop!.last, to: after }))
    expect(train!.boundaries).not.toContainEqual(expect.objectContaining({ from: before, to: after }))
    // A routine of several dispatches stands between what it reads and what reads it.
    const sorts = train!.kernels.flatMap((k, i) => (k.name.startsWith('sort') ? [i] : []))
    expect(sorts.length).toBeGreaterThan(1)
    expect(train!.boundaries).toContainEqual(expect.objectContaining({ to: sorts[0] }))
    expect(train!.boundaries).toContainEqual(expect.objectContaining({ from: sorts.at(-1) }))
    // A chunk is four turns; the first turn of all goes before it.
    expect(settle!.repeats.map((r) => r.times)).toEqual([null, 2])
    const open = settle!.kernels.filter((k) => k.isOpen)
    expect(open.length).toBeGreaterThan(0)
    expect(open.every((k) => k.times === 2)).toBe(true)
    // Inside a turn too, what one dispatch passes to another is a boundary with the figures that kept them apart.
    expect([twice!.kernels.map((k) => k.times), twice!.repeats]).toEqual([[1, 1, 1, 1, 1, 1], []])
    const apart = { from: 0, to: 1, reason: expect.stringMatching(/^together they need/) }
    expect(twice!.boundaries).toEqual([expect.objectContaining(apart)])
  })

  it('says so as text', async () => {
    const { stdout } = await tensorloom(['explain', fixture('loops.ts')])
    expect(stdout).toMatch(/^repeated\n {2}dispatch(es)? \d+( to \d+)?: 4 times$/m)
    expect(stdout).toMatch(/^ {2}dispatch \d+: .*, 4 times, /m)
    expect(stdout).toMatch(/ again, a submission each, until the device says that the loop has ended$/m)
    expect(stdout).toMatch(/^ {4}.*the turn of %\d+.* → .*next carry 0 of %\d+.*a row of %\d+/m)
  })
})

describe('tensorloom devices', () => {
  it('names what there is, the default first, with limits and profiles', async () => {
    const { code, stdout } = await tensorloom(['devices', '--json'])
    expect(code).toBe(0)
    const { devices } = JSON.parse(stdout) as { devices: readonly DeviceReport[] }
    const kinds = devices.map((d) => d.kind)
    expect([...kinds].sort()).toEqual([...new Set(kinds)].sort())
    expect(kinds).toEqual(expect.arrayContaining(['cpu', 'software']))
    for (const { kind, description, limits, profile } of devices) {
      expect(description).not.toBe('')
      expect(profile.target).toBe(kind === 'cpu' ? 'wasm' : 'wgsl')
      if (kind !== 'cpu') expect(profile.storageBuffers).toBe(limits['maxStorageBuffersPerShaderStage'])
    }
    const [first] = devices
    const text = await tensorloom(['devices'])
    expect(text.stdout.startsWith(`${first!.description} (${first!.kind}, the default)\n`)).toBe(true)
    for (const { description, kind } of devices.slice(1)) expect(text.stdout).toContain(`\n${description} (${kind})\n`)
  })
})
