/** The command line as a user of a terminal or a pipe meets it: help, version, exit codes, explain, devices. */
import { describe, expect, it } from 'vitest'
import { bytesText, countText, plural, table } from '../../src/cli/text.ts'
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
    readonly stages: readonly { readonly name: string; readonly nodes: number }[]
    readonly graph: string
    readonly kernels: readonly {
      readonly wgsl: string
      readonly stores: readonly string[]
      readonly reads: readonly string[]
      readonly bytes: number
      readonly flops: number
    }[]
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
      expect(p.stages[0]!.name).toBe('trace')
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

describe('tensorloom devices', () => {
  it('names the adapter, its kind, limits and the profile made of it', async () => {
    const { code, stdout } = await tensorloom(['devices', '--json'])
    expect(code).toBe(0)
    const found = JSON.parse(stdout) as {
      kind: string
      description: string
      limits: Record<string, number>
      profile: { storageBuffers: number }
    }
    expect(['hardware', 'software']).toContain(found.kind)
    expect(found.description).not.toBe('')
    expect(found.limits['maxStorageBuffersPerShaderStage']).toBeGreaterThanOrEqual(8)
    expect(found.profile.storageBuffers).toBe(found.limits['maxStorageBuffersPerShaderStage'])
    const text = await tensorloom(['devices'])
    expect(text.stdout.startsWith(`${found.description} (${found.kind})\n`)).toBe(true)
  })
})

describe('figures as text', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [1.5e15, '1.50e+3 TB'],
  ])('%d bytes', (n, text) => {
    expect(bytesText(n)).toBe(text)
  })

  it('groups digits, counts things, lines up columns', () => {
    expect([999, 1000, 1234567].map(countText)).toEqual(['999', '1 000', '1 234 567'])
    expect([plural(1, 'dispatch', 'dispatches'), plural(2, 'kernel')]).toEqual(['1 dispatch', '2 kernels'])
    expect(
      table([
        ['a', 'bcd', 'e'],
        ['fghi', 'j'],
      ]),
    ).toBe('a     bcd  e\nfghi  j')
  })
})
