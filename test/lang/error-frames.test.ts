/** A mistake in a helper: the calls that led there, inside of the traced function, and which argument it concerns. */
import { expect, test } from 'vitest'
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'

type X = T.Tensor
interface Block {
  readonly weight: X
  readonly bias?: X
}

/** The line that a marked comment stands on. */
const lineOf = (mark: string): number => lines.findIndex((text) => text.endsWith(`// ${mark}`)) + 1
const lines = (await import('node:fs')).readFileSync(new URL(import.meta.url), 'utf8').split('\n')

const dense = (x: X, { weight }: Block): X => T.relu(T.matmul(x, weight)) // dense
const layer = (x: X, block: Block): X => dense(x, block) // layer
const model = (params: { readonly blocks: readonly Block[] }, x: X): X => {
  const first = layer(x, params.blocks[0]!)
  return layer(first, params.blocks[1]!) // second
}

const specs = [{ blocks: [{ weight: T.spec([3, 4]) }, { weight: T.spec([5, 6]) }] }, T.spec([2, 3])] as const

const textOf = (f: (...args: never[]) => unknown): string => {
  const made = T.compile(f as (...args: readonly unknown[]) => unknown, specs as never)
  return made._tag === 'Left' ? T.showError(made.left) : 'no mistake'
}

const file = /[\w./-]*error-frames\.test\.ts/.source
const at = (mark: string): string => `${file}:${lineOf(mark)}:\\d+`

/** What is said of the second layer, whatever the model is put in. */
const said = new RegExp(
  `operands: f32\\[2, 4\\], f32\\[5, 6\\] \\(argument \\[0\\]\\.blocks\\[1\\]\\.weight\\)\n  at ${at('dense')}\n  called at ${at('layer')}\n  called at ${at('second')}`,
)

test('the calls up to the traced function, and the path of the argument', () => {
  expect(textOf(model)).toMatch(new RegExp(`${said.source}(\n  hint|$)`))
})

test('under a gradient and a batch, which run the function on inputs of their own', () => {
  const loss = (p: Parameters<typeof model>[0], x: X): X => T.sum(model(p, x)) // loss
  const calls = `${said.source}\n  called at ${at('loss')}`
  expect(textOf(T.grad(loss as never))).toMatch(new RegExp(calls))
  expect(textOf((p: Parameters<typeof model>[0], x: X) => T.grad((q: typeof p) => loss(q, x) as never)(p))).toMatch(
    said,
  )
  const batched = (p: Parameters<typeof model>[0], x: X): X =>
    T.vmap((row: X) => model(p, T.reshape(row, [1, 3])), { inAxes: 0 })(x)
  expect(textOf(batched)).toContain('f32[5, 6] (argument [0].blocks[1].weight)')
})

test('an argument in another form is still that argument, and what is computed is none', () => {
  const linear = (p: Parameters<typeof model>[0], x: X): X => nn.linear(x, { weight: p.blocks[1]!.weight as never })
  expect(textOf(linear)).toContain('(argument [0].blocks[1].weight)')
  const turned = (p: Parameters<typeof model>[0], x: X): X => T.matmul(x, T.matrixTranspose(p.blocks[1]!.weight))
  expect(textOf(turned)).toContain('f32[2, 3] (argument [1]), f32[6, 5] (argument [0].blocks[1].weight)')
  const computed = (p: Parameters<typeof model>[0], x: X): X => T.matmul(T.exp(x), T.neg(p.blocks[1]!.weight))
  expect(textOf(computed)).not.toContain('argument')
})

test('a mistake outside of a traced function has its own line alone', () => {
  expect(() => T.reference(dense(T.ones([2, 3]), { weight: T.ones([2, 3]) }))).toThrow(
    new RegExp(`at ${at('dense')}(\n  hint|$)`),
  )
  expect(() => T.reference(dense(T.ones([2, 3]), { weight: T.ones([2, 3]) }))).not.toThrow('called at')
})
