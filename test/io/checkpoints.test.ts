/** Checkpoints: whole or not at all, whatever happens to the disk, and the last good one is found. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import * as T from '../../src/index.ts'
import * as io from '../../src/io/index.ts'

const root = mkdtempSync(join(tmpdir(), 'checkpoints-'))
afterAll(() => rmSync(root, { recursive: true }))
afterEach(() => vi.restoreAllMocks())

const state = (n: number): { readonly w: T.Tensor; readonly n: T.Tensor } => ({
  w: T.tensor([n, Number.NaN, -0], { dtype: 'f32' }),
  n: T.tensor(n, { dtype: 'i32' }),
})

const refusal = async (f: () => Promise<unknown>): Promise<unknown> =>
  f().then(
    () => 'nothing',
    (e: unknown) => (e instanceof T.TensorloomError ? e.error : e),
  )

let folders = 0
/** A folder with checkpoints of these steps. */
const saved = async (steps: readonly number[], options?: io.CheckpointOptions): Promise<io.Checkpoints> => {
  const to = io.checkpoints(join(root, `run-${folders++}`), options)
  for (const step of steps) await to.save(step, state(step), { step })
  return to
}

describe('checkpoints', () => {
  it('give back tensors and what was said beside them, to the last bit', async () => {
    const to = await saved([])
    expect([await to.latest(), to.steps()]).toEqual([undefined, []])
    const about = { epoch: 3, losses: [0.1, Number.NaN, -0, Number.POSITIVE_INFINITY], best: null, name: '"sha256":"' }
    const file = await to.save(7, state(7), about)
    expect(file).toBe(join(to.folder, 'step-000000000007.safetensors'))
    const found = (await to.latest())!
    expect([found.step, found.file, found.damaged]).toEqual([7, file, []])
    expect(found.about).toStrictEqual(about)
    expect(T.reference(await found.load(state(0)))).toStrictEqual(T.reference(state(7)))
    // A file of the format: other programs can read it.
    expect(T.reference(await T.load(file, state(0)))).toStrictEqual(T.reference(state(7)))
    expect((await to.at(7)).about).toStrictEqual(about)
  })

  it('the newest stay, in order of steps, and nothing else is touched', async () => {
    const to = await saved([900, 1000, 1100, 10_000], { keep: 2 })
    expect(to.steps()).toEqual([1100, 10_000])
    writeFileSync(join(to.folder, 'notes.txt'), 'mine')
    writeFileSync(join(to.folder, 'step-000000000001.safetensors.tmp'), 'unfinished')
    await to.save(10_001, state(1))
    expect(await readdir(to.folder)).toEqual([
      'notes.txt',
      'step-000000010000.safetensors',
      'step-000000010001.safetensors',
    ])
  })

  it('saves that nobody waits for come one after the other', async () => {
    const to = await saved([])
    await Promise.all([1, 2, 3, 4].map((step) => to.save(step, state(step))))
    expect(to.steps()).toEqual([2, 3, 4])
  })

  it('cut short anywhere, or changed anywhere, are passed over for the last good one', async () => {
    const to = await saved([1, 2])
    const file = join(to.folder, 'step-000000000002.safetensors')
    const whole = readFileSync(file)
    for (let length = 0; length < whole.length; length += 7) {
      writeFileSync(file, whole.subarray(0, length))
      const found = (await to.latest())!
      expect([length, found.step, found.damaged.map((d) => [d.tag, d.source])]).toEqual([
        length,
        1,
        [['DataError', file]],
      ])
    }
    for (let at = 0; at < whole.length; at++) {
      const changed = Uint8Array.from(whole)
      changed[at]! ^= 1
      writeFileSync(file, changed)
      expect([at, (await to.latest())!.step]).toEqual([at, 1])
    }
    writeFileSync(file, whole)
    expect((await to.latest())!.step).toBe(2)
  })

  it('say what is wrong with them', async () => {
    const to = await saved([1, 2])
    const [one, two] = to.steps().map((step) => join(to.folder, `step-00000000000${step}.safetensors`))
    const whole = readFileSync(two!)
    writeFileSync(two!, whole.subarray(0, whole.length - 3))
    expect(await refusal(() => to.at(2))).toMatchObject({ tag: 'DataError', source: two })
    writeFileSync(
      two!,
      Uint8Array.from(whole, (b, i) => (i === whole.length - 1 ? b ^ 1 : b)),
    )
    expect(await refusal(() => to.at(2))).toMatchObject({
      reason: 'its bytes are not those that were written: the digest differs',
      hint: 'an older checkpoint may be whole',
    })
    await T.save(one!, state(1))
    expect(await refusal(() => to.latest())).toMatchObject({
      tag: 'DataError',
      source: to.folder,
      reason: expect.stringMatching(
        /^none of its checkpoints is whole:\n {4}\S+2\.safetensors: .*differs\n {4}\S+1\.safetensors: it is no checkpoint/,
      ),
    })
    expect(await refusal(() => to.at(3))).toMatchObject({ tag: 'DataError', reason: expect.stringContaining('ENOENT') })
    const other = await saved([1])
    expect(await refusal(async () => (await other.latest())!.load({ w: T.spec([4]) }))).toMatchObject({
      tag: 'DataError',
      reason: expect.stringContaining('"w" is f32[3] in the file, f32[4] in the tree'),
    })
    expect(await refusal(() => other.save(-1, state(1)))).toMatchObject({ tag: 'UsageError' })
  })

  it('a full disk is a DataError, and what was there before stays', async () => {
    const to = await saved([1, 2])
    const fs = process.getBuiltinModule('node:fs')
    const { writeSync } = fs
    const full = vi.spyOn(fs, 'writeSync').mockImplementation(((file: number, bytes: Uint8Array, at: number) => {
      if (at > 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
      return writeSync(file, bytes, 0, 100)
    }) as never)
    expect(await refusal(() => to.save(3, state(3)))).toEqual({
      tag: 'DataError',
      source: join(to.folder, 'step-000000000003.safetensors'),
      reason: 'cannot be written (ENOSPC: no space left on device, write)',
    })
    expect(full).toHaveBeenCalledTimes(2)
    full.mockRestore()
    expect(await readdir(to.folder)).toHaveLength(2)
    expect((await to.latest())!.step).toBe(2)
    await to.save(3, state(3))
    expect(T.reference(await (await to.latest())!.load(state(0)))).toStrictEqual(T.reference(state(3)))
  })

  it('damaged ones of later steps do not crowd out the good ones', async () => {
    const to = await saved([10, 20, 30], { keep: 2 })
    writeFileSync(join(to.folder, 'step-000000000030.safetensors'), 'gone')
    for (const step of [21, 22, 23]) await to.save(step, state(step))
    expect(to.steps()).toEqual([22, 23, 30])
    expect((await to.latest())!.step).toBe(23)
  })

  it('refuse what they do not know', () => {
    expect(() => io.checkpoints(root, { every: 3 } as never)).toThrow("checkpoints: there is no option 'every'")
    expect(() => io.checkpoints(root, { keep: 0 })).toThrow("checkpoints: the option 'keep' is 0")
  })
})
